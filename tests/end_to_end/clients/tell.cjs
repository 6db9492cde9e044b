// One chapter of a customer's story, told with somebody's own Node client: `tell.cjs CLIENT ADDRESS WRITE_KEY NAME`.
// Owns nothing of ours: it is a program as an upstream team would write it. It ends once its client says that all is
// delivered; whatever the client gives up fails it.
"use strict";

const RETRIES = 8;
const [client, address, key, name] = process.argv.slice(2);
const userId = `${name}-user`;
const order = { order_id: `${name}-node-order`, total: 10, currency: "EUR" };

function gaveUp(error) {
  console.error("the client gave up:", error);
  process.exit(1);
}

async function segment() {
  const { Analytics } = require("@segment/analytics-node");
  const analytics = new Analytics({ writeKey: key, host: address, flushAt: 1, maxRetries: RETRIES });
  analytics.on("error", gaveUp);
  const delivered = [];
  const told = (send) => delivered.push(new Promise((done) => send((error) => (error ? gaveUp(error) : done()))));
  told((done) => analytics.identify({ userId, traits: { lastName: "Lee" } }, done));
  told((done) => analytics.page({ userId, name: "Home" }, done));
  told((done) => analytics.track({ userId, event: "Order Completed", properties: order }, done));
  told((done) => analytics.track({ userId, event: "Order Updated", properties: { ...order, total: 12 } }, done));
  told((done) => analytics.track({ userId, event: "My Own Thing", properties: { a: [1, null] } }, done));
  await Promise.all(delivered);
  await analytics.closeAndFlush();
}

async function rudderstack() {
  const Analytics = require("@rudderstack/rudder-sdk-node");
  const options = { dataPlaneUrl: address, flushAt: 1, retryCount: RETRIES, errorHandler: gaveUp };
  const analytics = new Analytics(key, options);
  const send = (call, message) => new Promise((done) => analytics[call](message, done));
  await send("identify", { userId, traits: { middleName: "B" } });
  await send("track", { userId, event: "Product Removed", properties: { product_id: "P-1" } });
  await send("track", { userId, event: "Unsubscribed", properties: { email_id: "m" } });
  await send("screen", { userId, name: "Account" });
  await send("track", { userId, event: "Something Else" });
  await analytics.flush();
}

async function posthog() {
  const { PostHog } = require("posthog-node");
  const options = { host: address, flushAt: 1, fetchRetryCount: RETRIES, fetchRetryDelay: 100 };
  const analytics = new PostHog(key, options);
  analytics.on("error", gaveUp);
  for (const event of ["Feature Used", "Product Viewed", "Products Searched", "$pageview"]) {
    analytics.capture({ distinctId: userId, event, properties: { product_id: "P-1", query: "q", $current_url: "/" } });
    await analytics.flush();
  }
  analytics.identify({ distinctId: userId, properties: { $set: { language: "de" } } });
  await analytics.flush();
  await analytics.shutdown();
}

({ "segment-node": segment, "rudderstack-node": rudderstack, "posthog-node": posthog })[client]().catch(gaveUp);
