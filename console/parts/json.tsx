/** A JSON value as text that can be read. */

export function Json({ value, label }: { readonly value: unknown; readonly label: string }) {
  return (
    <pre class="json" tabIndex={0} aria-label={label}>
      {value === undefined ? "nothing" : JSON.stringify(value, null, 2)}
    </pre>
  );
}
