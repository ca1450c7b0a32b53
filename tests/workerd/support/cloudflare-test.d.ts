/** The declarations of `cloudflare:test`. */
/// <reference types="@cloudflare/vitest-plugin/types" />
