/** A form for a value, made from its JSON Schema. What it has no field for is written as JSON. */
import { useState } from "preact/hooks";
import type { OpenApi, Schema } from "../model.ts";

interface FieldProps {
  readonly schema: Schema;
  readonly schemas: OpenApi["components"]["schemas"];
  readonly name: string;
  readonly id: string;
  readonly value: unknown;
  readonly isRequired: boolean;
  /** References that led here: a schema that comes again within itself has no end of fields. */
  readonly trail?: readonly string[];
  onChange(value: unknown): void;
}

/** Follows references; those that come back to themselves end as "anything". */
export function resolve(schema: Schema, schemas: OpenApi["components"]["schemas"]): Schema {
  let found = schema;
  for (let times = 0; found.$ref !== undefined && times < 16; times++) {
    const name = found.$ref.split("/").at(-1) ?? "";
    found = schemas[decodeURIComponent(name)] ?? {};
  }
  return found;
}

function typeOf(schema: Schema): string {
  const { type } = schema;
  if (typeof type === "string") return type;
  return type?.find((each) => each !== "null") ?? "";
}

/** The references that lead to a schema and on to what is in it. */
function trailOf(schema: Schema, trail: readonly string[]): readonly string[] {
  return schema.$ref === undefined ? trail : [...trail, schema.$ref];
}

/** Whether a schema is within itself: then it has no end. */
function comesAgain({ $ref }: Schema, trail: readonly string[]): boolean {
  return $ref !== undefined && trail.includes($ref);
}

/** What a form begins with. */
export function initialOf(
  schema: Schema,
  schemas: OpenApi["components"]["schemas"],
  trail: readonly string[] = [],
): unknown {
  if (comesAgain(schema, trail)) return undefined;
  const found = resolve(schema, schemas);
  if (found.default !== undefined) return found.default;
  if (found.const !== undefined) return found.const;
  if (found.enum !== undefined) return found.enum[0];
  switch (typeOf(found)) {
    case "object":
      return Object.fromEntries(
        (found.required ?? []).flatMap((name) => {
          const member = found.properties?.[name];
          return member === undefined ? [] : [[name, initialOf(member, schemas, trailOf(schema, trail))]];
        }),
      );
    case "array":
      return [];
    case "string":
      return "";
    case "boolean":
      return false;
    default:
      return undefined;
  }
}

export function Field(props: FieldProps) {
  const schema = resolve(props.schema, props.schemas);
  const type = typeOf(schema);
  const trail = props.trail ?? [];
  if (comesAgain(props.schema, trail)) return <Raw {...props} schema={schema} />;
  if (schema.const !== undefined) return null;
  if (schema.enum !== undefined) return <Choice {...props} schema={schema} />;
  if (type === "object" && schema.properties !== undefined)
    return <Members {...props} schema={schema} trail={trailOf(props.schema, trail)} />;
  if (type === "array" && schema.items !== undefined) return <Items {...props} schema={schema} />;
  if (type === "boolean") return <Checkbox {...props} schema={schema} />;
  if (type === "string" || type === "number" || type === "integer") return <Input {...props} schema={schema} />;
  return <Raw {...props} schema={schema} />;
}

function Label({ id, name, schema, isRequired }: Pick<FieldProps, "id" | "name" | "schema" | "isRequired">) {
  return (
    <label for={id}>
      {name || "value"}
      {!isRequired && <small> optional</small>}
      {schema.description !== undefined && <small> {schema.description}</small>}
    </label>
  );
}

/** What an input's text stands for. */
function valueOf(text: string, isNumber: boolean, isRequired: boolean): unknown {
  if (text === "" && (isNumber || !isRequired)) return undefined;
  return isNumber ? Number(text) : text;
}

function Input(props: FieldProps) {
  const { id, schema, value, isRequired, onChange } = props;
  const isNumber = typeOf(schema) !== "string";
  const own = value === undefined || value === null ? "" : String(value);
  // A number's own text would change what somebody is typing: "10.0" on the way to 10.05 would be 10 again, and -0 would be 0.
  const [typed, setTyped] = useState(own);
  const isTyped = valueOf(typed, isNumber, isRequired) === value;
  const changed = (text: string): void => {
    setTyped(text);
    onChange(valueOf(text, isNumber, isRequired));
  };
  const common = {
    id,
    value: isTyped ? typed : own,
    onInput: (event: { readonly currentTarget: HTMLInputElement }) => changed(event.currentTarget.value),
  };
  const step = typeOf(schema) === "integer" ? 1 : "any";
  return (
    <div class="field">
      <Label {...props} />
      {isNumber ? (
        <input {...common} type="number" step={step} min={schema.minimum} max={schema.maximum} />
      ) : (
        <input {...common} type="text" autocomplete="off" />
      )}
    </div>
  );
}

function Checkbox(props: FieldProps) {
  const { id, value, onChange } = props;
  return (
    <div class="field inline">
      <input
        id={id}
        type="checkbox"
        checked={value === true}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <Label {...props} />
    </div>
  );
}

function Choice(props: FieldProps) {
  const { id, schema, value, isRequired, onChange } = props;
  const choices = schema.enum ?? [];
  return (
    <div class="field">
      <Label {...props} />
      <select
        id={id}
        value={String(choices.indexOf(value))}
        onChange={(event) => onChange(choices[Number(event.currentTarget.value)])}
      >
        {!isRequired && <option value="-1">–</option>}
        {choices.map((choice, at) => (
          <option key={at} value={String(at)}>
            {String(choice)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Members(props: FieldProps) {
  const { id, name, schema, schemas, value, trail = [], onChange } = props;
  const members = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  const set = (member: string, to: unknown): void => {
    const { [member]: _, ...others } = members;
    onChange(to === undefined ? others : { ...others, [member]: to });
  };
  return (
    <fieldset class={name === "" ? "plain" : ""}>
      {name !== "" && <legend>{name}</legend>}
      {Object.entries(schema.properties ?? {}).map(([member, inner]) => (
        <Field
          key={member}
          id={`${id}-${member}`}
          name={member}
          schema={inner}
          schemas={schemas}
          value={members[member]}
          isRequired={schema.required?.includes(member) ?? false}
          trail={trail}
          onChange={(to) => set(member, to)}
        />
      ))}
    </fieldset>
  );
}

function Items(props: FieldProps) {
  const { id, name, schema, schemas, value, onChange } = props;
  const items = Array.isArray(value) ? (value as unknown[]) : [];
  const inner = schema.items ?? {};
  // Each item's own, whichever others are removed: what was typed stays with it.
  const [ids, setIds] = useState(() => items.map((_, at) => at));
  const add = (): void => {
    setIds([...ids, (ids.at(-1) ?? -1) + 1]);
    onChange([...items, initialOf(inner, schemas)]);
  };
  const remove = (at: number): void => {
    setIds(ids.filter((_, index) => index !== at));
    onChange(items.filter((_, index) => index !== at));
  };
  return (
    <fieldset>
      <legend>{name}</legend>
      {items.map((item, at) => (
        <div class="item" key={ids[at]}>
          {/* Without the trail: there are as many of these as were added. */}
          <Field
            id={`${id}-${at}`}
            name={String(at + 1)}
            schema={inner}
            schemas={schemas}
            value={item}
            isRequired={true}
            onChange={(to) => onChange(items.map((each, index) => (index === at ? to : each)))}
          />
          <button type="button" class="quiet" onClick={() => remove(at)}>
            remove {name} {at + 1}
          </button>
        </div>
      ))}
      <button type="button" class="quiet" onClick={add}>
        add to {name}
      </button>
    </fieldset>
  );
}

function Raw(props: FieldProps) {
  const { id, value, onChange } = props;
  const [text, setText] = useState(value === undefined ? "" : JSON.stringify(value));
  const [isWrong, setWrong] = useState(false);
  const changed = (field: HTMLTextAreaElement): void => {
    const next = field.value;
    setText(next);
    try {
      onChange(next.trim() === "" ? undefined : JSON.parse(next));
      setWrong(false);
      field.setCustomValidity("");
    } catch {
      setWrong(true);
      // The value is still that of before: the browser is to send nothing while another one is shown.
      field.setCustomValidity("this is not JSON");
    }
  };
  return (
    <div class="field">
      <Label {...props} />
      <textarea
        id={id}
        rows={2}
        aria-invalid={isWrong}
        placeholder="JSON"
        value={text}
        onInput={(event) => changed(event.currentTarget)}
      />
      {isWrong && <small class="wrong">this is not JSON</small>}
    </div>
  );
}
