/** The yardstick: the least a worker can do between a client and its upstream, with the relay's bindings around it. */
import { Hono } from "hono";

interface Bindings {
  readonly UPSTREAM: string;
}

const app = new Hono<{ Bindings: Bindings }>().all("*", ({ req, env }) => {
  const { pathname, search } = new URL(req.url);
  return fetch(env.UPSTREAM + pathname + search, {
    method: req.method,
    headers: req.raw.headers,
    body: req.raw.body,
  });
});

/** Never called: wrangler wants the classes that the bindings name. */
export class KeyObject {}
export class AccountObject {}
export class NotifierObject {}
export class FeedObject {}
export class ProxyObject {}
export class CaptureObject {}

// eslint-disable-next-line no-restricted-syntax -- the platform looks for the default export of a worker.
export default app;
