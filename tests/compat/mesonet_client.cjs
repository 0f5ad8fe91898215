// SPDX-License-Identifier: Apache-2.0
// Sends a video to mesonet-api by the unmodified socket.io-client, once in one message and once in chunks:
// node mesonet_client.cjs URL TRANSPORTS FILE. Prints every event as [name, payload], one a line.
"use strict";

const fs = require("fs");
const { io } = require(require.resolve("socket.io-client", { paths: [process.env.UNMASK_TEST_CLIENTS] }));

const [url, transports, file] = process.argv.slice(2);
const socket = io(url, transports === "default" ? {} : { transports: [transports] });
const print = (...values) => process.stdout.write(JSON.stringify(values) + "\n");
setTimeout(() => { print("timed out", null); process.exit(1); }, 60000).unref();

socket.onAny((name, payload) => print(name, payload));
socket.on("connect", async () => {
  const video = fs.readFileSync(file).toString("base64");
  await socket.emitWithAck("predict_video", { video });
  print("acknowledged", null);

  const size = Math.ceil(video.length / 4);
  const sent = [];
  for (let i = 0; i < 4; ++i)
    sent.push(socket.emitWithAck("video_chunk",
      { chunk_id: i, total_chunks: 4, chunk: video.slice(i * size, (i + 1) * size), is_last: i === 3 }));
  await Promise.all(sent);
  print("acknowledged", null);
  socket.close();
});
