// Steps that build on each other: after the first failure nothing else is tried, and there is a picture of it.

/** `page` may be made later: it is asked for when a step runs. */
export function stepper(page) {
  let failed = false;
  const picture = async (name) => {
    if (process.env.E2E_PICTURES) await page().screenshot({ path: `${process.env.E2E_PICTURES}/${name}.png` });
  };
  const step = (context, name, run) =>
    context.test(name, { skip: failed }, async () => {
      try {
        await run();
      } catch (error) {
        failed = true;
        await picture('failed');
        throw error;
      }
    });
  return { step, picture };
}
