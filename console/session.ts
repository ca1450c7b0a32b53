/** What a person has told the page: tokens and tenant, kept until the tab is closed and nowhere else. */

export interface Session {
  /** The owner's. */
  readonly token: string;
  /** The administrator's. */
  readonly admin: string;
  /** "" for the domain of no tenant. */
  readonly tenant: string;
}

const KEY = "tidegate.session";

export function loadSession(): Session | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<Session> | null;
    if (typeof kept?.token !== "string" || typeof kept.admin !== "string") return null;
    return { token: kept.token, admin: kept.admin, tenant: kept.tenant ?? "" };
  } catch {
    return null;
  }
}

export function saveSession(session: Session | null): void {
  if (session === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, JSON.stringify(session));
}
