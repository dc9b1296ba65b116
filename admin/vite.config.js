import { sveltekit } from "@sveltejs/kit/vite";
import { defineConfig } from "vite";

export default defineConfig(({ command }) => {
  // What is built is what is served, whoever asks for it: a test runner's NODE_ENV would put development code in.
  if (command === "build") process.env.NODE_ENV = "production";
  return {
    plugins: [sveltekit()],
    // The admin shares worker/domain, which lies beside this folder.
    server: { fs: { allow: [".."] } },
  };
});
