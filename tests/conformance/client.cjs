// SPDX-License-Identifier: Apache-2.0
// Drives the unmodified socket.io-client: node client.cjs URL TRANSPORTS SCENARIO. Prints what the test looks at, one
// JSON value a line; ends with status 0 when the scenario has run through.
"use strict";

const { io } = require(require.resolve("socket.io-client", { paths: [process.env.UNMASK_TEST_CLIENTS] }));

const [url, transports, scenario] = process.argv.slice(2);
const options = { forceNew: true, reconnectionDelay: 100, reconnectionDelayMax: 200, timeout: 5000 };
if (transports !== "default") options.transports = [transports];

const print = (value = null) => process.stdout.write(JSON.stringify(value) + "\n");
const once = (socket, event) => new Promise((resolve) => socket.once(event, (...values) => resolve(values)));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
setTimeout(() => { print("timed out"); process.exit(1); }, 20000).unref();

const scenarios = {
  async events() {
    const socket = io(url, options);
    await once(socket, "connect");
    for (const values of [[], [1, "2", { 3: [true] }], [null, "Größe 人 🙂"], [Buffer.from([1, 2, 3]), { deep: Buffer.from("x") }]]) {
      socket.emit("message", ...values);
      print(await once(socket, "message-back"));
      print(await socket.emitWithAck("message-with-ack", ...values));
    }
    socket.on("question", (value, answer) => answer("yes", value, Buffer.from([7])));
    socket.emit("ask-back", 5);
    print(await once(socket, "answer"));
    socket.close();
  },

  async transport() {
    const socket = io(url, options);
    await once(socket, "connect");
    const engine = socket.io.engine;
    if (transports === "default" && engine.transport.name === "polling") await once(engine, "upgrade");
    print(engine.transport.name);
    await sleep(1000);  // several heartbeats
    print(await socket.emitWithAck("message-with-ack", "alive"));
    socket.close();
  },

  async order() {  // during the change of transports, too
    const socket = io(url, options);
    const back = [];
    socket.on("message-back", (i) => back.push(i));
    await once(socket, "connect");
    for (let i = 0; i < 300; ++i) {
      socket.emit("message", i);
      if (i % 10 === 0) await sleep(1);
    }
    await socket.emitWithAck("message-with-ack");
    print(back.length === 300 && back.every((value, i) => value === i));
    socket.close();
  },

  async namespaces() {
    const main = io(url, { ...options, auth: { token: "main" } });
    const custom = main.io.socket("/custom", { auth: { token: "custom" } });
    const unknown = main.io.socket("/unknown");
    const results = Promise.all([once(main, "auth"), once(custom, "auth"), once(unknown, "connect_error")]);
    unknown.connect();
    custom.connect();
    const [mainAuth, customAuth, [error]] = await results;
    print([mainAuth, customAuth, error.message, main.id !== custom.id]);
    custom.emit("message", "in custom");
    print(await once(custom, "message-back"));
    custom.disconnect();
    main.emit("message", "in main");
    print(await once(main, "message-back"));
    main.close();
  },

  async refused() {
    const socket = io(url, { ...options, auth: { token: "wrong" } });
    print((await once(socket, "connect_error"))[0].message);
    socket.auth = { token: "right" };
    socket.connect();
    print(await once(socket, "auth"));
    socket.close();
  },

  async disconnected() {
    const socket = io(url, options);
    await once(socket, "connect");
    socket.emit("disconnect-me", false);
    print((await once(socket, "disconnect"))[0]);
    socket.connect();
    await once(socket, "connect");
    print(await socket.emitWithAck("message-with-ack", "again"));
    socket.close();
  },

  async reconnect() {  // the test ends the server and starts another in its place
    const socket = io(url, options);
    await once(socket, "connect");
    print("connected");
    print((await once(socket, "disconnect"))[0]);
    await once(socket, "connect");
    print(await socket.emitWithAck("message-with-ack", "again"));
    socket.close();
  },

  async timeout() {
    const socket = io(url, options);
    await once(socket, "connect");
    try {
      await socket.timeout(200).emitWithAck("unknown event");
    } catch (error) {
      print(error.message);
    }
    print(await socket.emitWithAck("message-with-ack", "still here"));
    socket.close();
  },
};

scenarios[scenario]().then(
  () => process.exit(0),
  (error) => { console.error(error); process.exit(1); },
);
