/** Asks for the tokens. They stay in this tab. */
import { useState } from "preact/hooks";
import { Api, RequestError } from "../api.ts";
import { Failure } from "../parts/states.tsx";
import type { Session } from "../session.ts";

export function Login({ onEnter }: { onEnter(session: Session): void }) {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const enter = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const token = String(form.get("token")).trim();
    const admin = String(form.get("admin")).trim() || token;
    const session = { token, admin, tenant: String(form.get("tenant")).trim() };
    setBusy(true);
    setError(undefined);
    try {
      const api = new Api(session);
      await api.openApi();
      await api.overview().catch((cause: unknown) => {
        const isClosed = cause instanceof RequestError && cause.status === 401;
        throw isClosed ? new RequestError(401, { title: "That is not the administrator's token" }) : cause;
      });
      onEnter(session);
    } catch (cause) {
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <h1>Tidegate console</h1>
      <form onSubmit={(event) => void enter(event)}>
        <div class="field">
          <label for="token">Token</label>
          <input id="token" name="token" type="password" autocomplete="off" required autofocus />
        </div>
        <div class="field">
          <label for="admin">
            Administrator's token <small>if it is another one</small>
          </label>
          <input id="admin" name="admin" type="password" autocomplete="off" />
        </div>
        <div class="field">
          <label for="tenant">
            Tenant <small>optional</small>
          </label>
          <input id="tenant" name="tenant" autocomplete="off" />
        </div>
        <button type="submit" disabled={isBusy}>
          Open
        </button>
        {error !== undefined && <Failure error={error} />}
        <p class="empty">
          The owner's token calls functions, the administrator's shows state. Both stay in this tab and are forgotten
          with it.
        </p>
      </form>
    </main>
  );
}
