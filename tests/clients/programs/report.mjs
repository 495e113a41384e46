// What the programs share: where to connect, and how they tell what they see.

export const { URL: url, TOKEN: token, COLLECTION: collection } = process.env;

/** The address of the event stream; the credential goes into it where a client can send no headers. */
export const stream = (withToken) =>
  `${url}/api/v1/realtime/subscribe?collection=${collection}${withToken ? `&token=${token}` : ''}`;

/** One line for each event, and for each end that the application can see. */
export const report = (seen) => console.log(JSON.stringify(seen));

/** The handler that everybody writes first; some libraries hand over blocks without data, too. */
export const handle = (data) => {
  if (!data) return;
  const frame = JSON.parse(data);
  if (frame.operation) report({ event: frame.data.title });
};
