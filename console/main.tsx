/** The page for people: what an app consists of, what it does now, and what it holds. */
import { render } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { Api } from "./api.ts";
import { useLive } from "./live.ts";
import { Empty, Failure, useLoaded } from "./parts/states.tsx";
import { linkTo, useRoute } from "./routes.ts";
import { loadSession, saveSession, type Session } from "./session.ts";
import { Login } from "./views/login.tsx";
import { MessagesView } from "./views/messages.tsx";
import { OverviewView } from "./views/overview.tsx";
import { ServicesView } from "./views/services.tsx";
import { StateView } from "./views/state.tsx";
import { StreamsView } from "./views/streams.tsx";
import { TransactionsView } from "./views/transactions.tsx";

const VIEWS = [
  ["overview", "Overview"],
  ["services", "Services"],
  ["state", "State"],
  ["transactions", "Transactions"],
  ["streams", "Streams"],
  ["messages", "Messages"],
] as const;

const THEMES = ["system", "light", "dark"] as const;

function App() {
  const [session, setSession] = useState(loadSession);
  const enter = (next: Session | null): void => {
    saveSession(next);
    setSession(next);
  };
  return session === null ? <Login onEnter={enter} /> : <Console session={session} onLeave={() => enter(null)} />;
}

function Console({ session, onLeave }: { readonly session: Session; onLeave(): void }) {
  const api = useMemo(() => new Api(session), [session]);
  const live = useLive(api);
  const openApi = useLoaded(() => api.openApi(), [api]);
  const route = useRoute();
  const view = VIEWS.find(([name]) => name === route[0])?.[0] ?? "overview";
  useShortcuts();
  useEffect(() => {
    document.title = `${VIEWS.find(([name]) => name === view)?.[1]} · Tidegate console`;
  }, [view]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => skip(event)}>
        to the content
      </a>
      <header>
        <strong>Tidegate</strong>
        {session.tenant !== "" && <span class="tenant">{session.tenant}</span>}
        <nav aria-label="Views">
          {VIEWS.map(([name, title], at) => (
            <a
              key={name}
              href={linkTo(name)}
              aria-current={name === view ? "page" : undefined}
              aria-keyshortcuts={String(at + 1)}
            >
              {title}
            </a>
          ))}
        </nav>
        <Theme />
        <button type="button" class="quiet" onClick={onLeave}>
          Leave
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <h1>{VIEWS.find(([name]) => name === view)?.[1]}</h1>
        {live.error !== null && <Failure error={live.error} />}
        {openApi.error !== undefined && <Failure error={openApi.error} />}
        {live.now === null || openApi.value === undefined ? (
          <Empty>Asking the app…</Empty>
        ) : (
          <>
            {view === "overview" && <OverviewView live={live} />}
            {view === "services" && <ServicesView api={api} app={live.now.app} openApi={openApi.value} route={route} />}
            {view === "state" && <StateView api={api} app={live.now.app} route={route} />}
            {view === "transactions" && <TransactionsView api={api} route={route} />}
            {view === "streams" && <StreamsView api={api} app={live.now.app} />}
            {view === "messages" && <MessagesView api={api} now={live.now} />}
          </>
        )}
      </main>
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("#main")?.focus();
}

/** 1 to 6 lead to the views, where nobody is writing. */
function useShortcuts(): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      const isWriting = event.target instanceof Element && event.target.closest("input, textarea, select") !== null;
      if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
      const view = VIEWS[Number(event.key) - 1];
      if (view !== undefined) location.hash = linkTo(view[0]);
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);
}

function Theme() {
  const [theme, setTheme] = useState(() => sessionStorage.getItem("tidegate.theme") ?? "system");
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
    sessionStorage.setItem("tidegate.theme", theme);
  }, [theme]);
  return (
    <select aria-label="Colours" value={theme} onChange={(event) => setTheme(event.currentTarget.value)}>
      {THEMES.map((each) => (
        <option key={each} value={each}>
          {each}
        </option>
      ))}
    </select>
  );
}

const root = document.querySelector("#app");
if (root !== null) render(<App />, root);
