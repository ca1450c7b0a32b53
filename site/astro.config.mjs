/** The documentation as a site: the pages of docs/, which site/prepare.ts brings into shape. */
import starlight from "@astrojs/starlight";
import { defineConfig } from "astro/config";
import { SIDEBAR } from "./sidebar.ts";

export default defineConfig({
  // Nothing is asked of other hosts while it is built or read.
  telemetry: false,
  integrations: [
    starlight({
      title: "Tidegate",
      description: "Transactional cloud services on a streaming dataflow, at the edge.",
      sidebar: SIDEBAR,
      pagefind: true,
    }),
  ],
});
