// SPDX-License-Identifier: Apache-2.0
// Upload, progress, errors. What a finished analysis looks like is in result.js.

import { renderResult } from "/result.js";

const $ = (id) => document.getElementById(id);
const sections = ["busy", "error", "result"];
let running = null; // {abort()} of what the Cancel button ends

class Problem extends Error {
  constructor(body, status) {
    super(body?.detail || body?.message || `The server answered with status ${status}.`);
    this.title = body?.title || "That did not work";
    this.hint = body?.hint || "";
    this.trace = body?.trace_id || "";
  }
}

function show(name) {
  for (const section of sections) $(section).hidden = section !== name;
}

function say(text) {
  $("status").textContent = text;
}

function showBusy(title, text, value) {
  show("busy");
  if ($("busy-title").textContent !== title) {
    $("busy-title").textContent = title;
    say(title);
  }
  $("busy-text").textContent = text;
  if (value === null) $("progress").removeAttribute("value");
  else $("progress").value = value;
}

function showError(error) {
  show("error"); // role="alert" speaks for itself
  say("");
  $("error-title").textContent = error.title || "That did not work";
  $("error-text").textContent = error.message;
  $("error-hint").textContent = error.hint ? `What helps: ${error.hint}` : "";
  $("error-trace").textContent = error.trace ? `Trace ${error.trace}` : "";
  $("error-title").focus();
}

async function getJson(url, signal) {
  let answer;
  try {
    answer = await fetch(url, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ title: "The server cannot be reached", detail: "The connection failed.", hint: "Is it still running?" });
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Problem(body, answer.status);
  return body;
}

/// Sends the file and gives the analysis object. fetch() cannot tell how far an upload is.
function upload(file, query) {
  const request = new XMLHttpRequest();
  const form = new FormData();
  form.append("file", file, file.name);
  const promise = new Promise((resolve, reject) => {
    request.upload.onprogress = (event) => {
      const part = event.lengthComputable ? event.loaded / event.total : null;
      showBusy("Uploading", `${megabytes(event.loaded)} of ${megabytes(file.size)}`, part);
    };
    request.onload = () => {
      let body = null;
      try { body = JSON.parse(request.responseText); } catch { /* the status tells enough */ }
      if (request.status >= 200 && request.status < 300) resolve(body);
      else reject(new Problem(body, request.status));
    };
    request.onerror = () => reject(new Problem({
      title: "The upload failed", detail: "The connection to the server broke.",
      hint: "Is the file larger than the limit? Is the server still running?" }));
    request.onabort = () => reject(new DOMException("", "AbortError"));
  });
  request.open("POST", `/v1/analyses?${query}`);
  request.send(form);
  return { promise, abort: () => request.abort() };
}

const megabytes = (bytes) =>
  bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;

/// Polls until the analysis has ended. `?wait=1` answers as soon as it has.
async function follow(id, signal) {
  for (;;) {
    const analysis = await getJson(`/v1/analyses/${encodeURIComponent(id)}?wait=1`, signal);
    if (analysis.state === "queued") showBusy("Waiting", "Other files are analysed first.", null);
    else if (analysis.state === "running")
      showBusy("Analysing", `${Math.round(analysis.progress * 100)} %`, analysis.progress);
    else return analysis;
  }
}

async function showAnalysis(analysis, file) {
  if (analysis.error) throw new Problem({ title: "The analysis failed", ...analysis.error });
  const words = await getJson("/words.json");
  renderResult($("result"), analysis, { words, file });
  show("result");
  say(words.verdicts[analysis.report.verdict].title);
  $("verdict").focus();
}

async function analyse(file) {
  running?.abort();
  const query = new URLSearchParams({ wait: "0" });
  if ($("fps").value) query.set("fps", $("fps").value);
  if ($("max_frames").value) query.set("max_frames", $("max_frames").value);
  if ($("keyframes").checked) query.set("mode", "keyframes");
  showBusy("Uploading", file.name, 0);
  const sending = upload(file, query);
  const polling = new AbortController();
  let id = null;
  const mine = running = {
    abort() {
      sending.abort();
      polling.abort();
      if (id) fetch(`/v1/analyses/${encodeURIComponent(id)}`, { method: "DELETE" }).catch(() => {});
    },
  };
  try {
    id = (await sending.promise).id;
    const analysis = await follow(id, polling.signal);
    id = null; // it has ended: nothing to cancel
    await showAnalysis(analysis, file);
    history.replaceState(null, "", `#${analysis.id}`);
  } catch (error) {
    if (error.name !== "AbortError") showError(error);
    else if (running === mine) show(null);
  } finally {
    if (running === mine) running = null;
    $("file").value = "";
  }
}

/// A result can be linked to while the server keeps it.
async function openLinked() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id) return;
  try {
    await showAnalysis(await follow(id), null);
  } catch (error) {
    showError(error);
  }
}

$("file").addEventListener("change", () => {
  if ($("file").files.length) analyse($("file").files[0]);
});
$("form").addEventListener("submit", (event) => event.preventDefault());
$("cancel").addEventListener("click", () => {
  running?.abort();
  show(null);
  say("Cancelled");
  $("file").focus();
});

// The whole page takes a dropped file: a miss must not make the browser open it.
for (const name of ["dragover", "drop"]) document.addEventListener(name, (event) => event.preventDefault());
document.addEventListener("dragenter", () => $("drop").classList.add("over"));
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  $("drop").classList.remove("over");
  const file = event.dataTransfer?.files[0];
  if (file) analyse(file);
});

getJson("/version").then((v) => { $("version").textContent = `unmask ${v.unmask}, model ${v.model.name} ${v.model.version}.`; }).catch(() => {});
getJson("/v1/limits").then((limits) => { $("limit").textContent = `, up to ${megabytes(limits.max_upload_bytes)}`; }).catch(() => {});
window.addEventListener("hashchange", openLinked);
openLinked();
