/** The error of a call that must fail. */
export async function failureOf(call: PromiseLike<unknown>): Promise<unknown> {
  return await call.then(
    () => {
      throw new Error("the call should have failed");
    },
    (error: unknown) => error,
  );
}
