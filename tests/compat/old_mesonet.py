# SPDX-License-Identifier: Apache-2.0
"""mesonet-api's Socket.IO as the original speaks it: the real python-socketio under uvicorn, made-up scores.

Written after the contract, not taken from the original. `change(event, payload)` may give another payload, or
None to leave the event out; `before(event)` runs before each is sent.
"""

import asyncio
import base64
import binascii
import threading
import time

import uvicorn

import socketio

SANS_IO = "websockets-sansio"  # of uvicorn's two implementations the one that websockets does not deprecate
SCORES = [0.25, 0.5]
STATS = {
    "frames_processed": 39, "faces_detected": 2, "processing_time": 0.5, "video_duration": 3.0,
    "total_frames": 75, "fps": 25.0,
}  # fmt: skip


class OldMesonet:
    def __init__(self, change=lambda event, payload: payload, **settings):
        self.change = change
        self.received = []  # the bytes of each video
        self.transports = []
        self.chunks = {}
        self.io = socketio.AsyncServer(async_mode="asgi", cors_allowed_origins="*", **settings)
        self.io.on("connect", self.connect)
        self.io.on("predict_video", self.predict_video)
        self.io.on("video_chunk", self.video_chunk)
        config = uvicorn.Config(
            socketio.ASGIApp(self.io), port=0, log_level="error", lifespan="off", ws=SANS_IO
        )
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        deadline = time.monotonic() + 60
        while not self.server.started:
            assert time.monotonic() < deadline, "uvicorn does not start"
            time.sleep(0.01)
        self.url = f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def close(self):
        self.server.should_exit = True
        self.thread.join(30)

    async def emit(self, sid, event, payload):
        payload = self.change(event, payload)
        if payload is not None:
            await self.io.emit(event, payload, to=sid)

    async def connect(self, sid, environ):
        self.transports.append(self.io.transport(sid))
        hello = {"sid": sid, "status": "connected", "detector_ready": True}
        await self.emit(sid, "connection_established", hello)

    async def predict_video(self, sid, data):
        await self.process(sid, data["video"], "single_upload")

    async def video_chunk(self, sid, data):
        chunks = self.chunks.setdefault(sid, {})
        chunks[data["chunk_id"]] = data["chunk"]
        received = {"chunk_id": data["chunk_id"], "chunks_received": len(chunks)}
        total = data.get("total_chunks")
        await self.emit(sid, "chunk_received", received | {"total_expected": total, "timestamp": time.time()})
        if data.get("is_last") or len(chunks) == total:
            await self.process(sid, "".join(chunks[i] for i in sorted(chunks)), "chunked_upload")

    async def process(self, sid, text, source):
        try:
            video = base64.b64decode(text)
        except binascii.Error as error:
            return await self.emit(sid, "prediction_error", {"error": str(error), "timestamp": time.time()})
        self.received.append(video)
        suffix = " (from chunks)" if source == "chunked_upload" else ""
        started = {"message": f"Starting video processing{suffix}", "video_size": len(video)}
        await self.emit(sid, "prediction_started", started | {"timestamp": time.time()})
        if b"ftyp" not in video[:16]:
            error = {"error": "Could not open video file", "timestamp": time.time()}
            return await self.emit(sid, "prediction_error", error)
        batch = {"stage": "batch_complete"}
        stages = [
            {"stage": "video_loaded", "total_frames": 75, "duration": 3.0, "fps": 25.0},
            {"stage": "processing_frames", "frames_to_process": 39},
            *(batch | {"processed": n, "total": 39, "faces_found": 2} for n in (8, 16, 24, 32, 39)),
            {"stage": "running_prediction", "faces_count": 2},
        ]  # fmt: skip
        for stage in stages:
            await self.emit(sid, "prediction_progress", stage | {"timestamp": time.time()})
            await asyncio.sleep(0)
        await self.emit(
            sid,
            "prediction_complete",
            {
                "prediction": "DeepFake",
                "confidence": 0.625,
                "num_faces_processed": 2,
                "individual_scores": SCORES,
                "avg_score": 0.375,
                "processing_stats": STATS | {"faces_per_second": 4.0},
                "timestamp": time.time(),
                "source": source,
            },
        )
