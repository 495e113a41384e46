// A server with its first superadmin, a browser that is signed in, and a client for what happens elsewhere.
import { launch, openPage } from './browser.js';
import { signIn, startServer } from './server.js';

export const EMAIL = 'root@example.com';
export const PASSWORD = 'Correct-Horse-7';

export async function startSignedIn() {
  const server = await startServer();
  const browser = await launch();
  const stop = async () => {
    await browser.close();
    await server.stop();
  };
  try {
    const { page, context, complaints } = await openPage(browser, server.origin);
    await page.goto(server.setupUrl);
    await page.getByLabel('E-mail').fill(EMAIL);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.getByRole('button', { name: 'Create superadmin' }).click();
    await page.getByText('Start with a collection').waitFor();
    const api = await signIn(server.origin, EMAIL, PASSWORD);
    return { server, page, context, complaints, api, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
