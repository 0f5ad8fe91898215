// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/events.hpp"

#include <map>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "compat/mesonet/answers.hpp"
#include "compat/mesonet/lenient_base64.hpp"
#include "compat/mesonet/python_value.hpp"
#include "compat/mesonet/video_jobs.hpp"
#include "compat/rate_limit/client_address.hpp"

namespace unmask::compat {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxPayload = 1'000'000;  // of one message; the contract's number
constexpr std::size_t kMaxAssemblies = 4;       // of one client, which names them by upload_id
constexpr std::size_t kMaxUploadId = 256;       // bytes

const json kNone;

/// data.get(key, fallback)
const json& Get(const json& data, const char* key, const json& fallback = kNone) {
  const auto found = data.find(key);
  return found == data.end() ? fallback : *found;
}

/// The words of Python's failure when `video` is not the text that the original expects.
std::string NotText(const json& video) {
  if (video.is_binary()) return "a bytes-like object is required, not 'str'";
  if (video.is_array() || video.is_object())
    return fmt::format("argument should be a bytes-like object or ASCII string, not '{}'",
                       PythonTypeName(video));
  return fmt::format("argument of type '{}' is not iterable", PythonTypeName(video));
}

/// What stands between the first and the second comma, or all of it.
std::string_view WithoutPrefix(std::string_view text) {
  const auto comma = text.find(',');
  if (comma == std::string_view::npos) return text;
  text.remove_prefix(comma + 1);
  return text.substr(0, text.find(','));
}

Result<PrivateFile> DecodeVideo(const std::string& text, const std::filesystem::path& folder) {
  LenientBase64 decoder;
  std::string bytes;
  if (auto decoded = decoder.Decode(WithoutPrefix(text), bytes); !decoded)
    return tl::unexpected(decoded.error());
  if (auto finished = decoder.Finish(); !finished) return tl::unexpected(finished.error());
  auto file = PrivateFile::Create(folder);
  if (!file) return file;
  if (auto written = file->Append(bytes); !written) return tl::unexpected(written.error());
  return file;
}

class MesonetSocket : public socketio::SocketEvents {
 public:
  MesonetSocket(std::shared_ptr<MesonetCore> core, std::shared_ptr<socketio::Socket> socket)
      : core_(std::move(core)),
        socket_(std::move(socket)),
        jobs_(std::make_shared<VideoJobs>(core_, socket_)) {
    ++core_->connections;
    ++core_->connected;
    ordered_json hello;
    hello["sid"] = socket_->id();
    hello["status"] = "connected";
    hello["detector_ready"] = core_->detector_ready();
    socket_->Emit("connection_established", hello);
  }

  ~MesonetSocket() override {
    jobs_->Cancel();
    --core_->connected;
  }

  void OnEvent(socketio::Event event) override {
    // The original's handlers take one argument; with another number they fail without a word.
    if (event.arguments.size() != 1) return;
    const json data = std::move(event.arguments[0]);
    if (event.name == "ping") {
      Pong();
      event.ack.Send(ordered_json::array());
    } else if (event.name == "predict_video") {
      PredictVideo(data, event.ack);
    } else if (event.name == "video_chunk") {
      VideoChunk(data, event.ack);
    }
  }

  bool OnOversize(std::size_t limit, const socketio::Ack& ack) override {
    // What it was is unknown, but a client that has begun to send chunks goes on with them.
    const char* const event = assemblies_.empty() ? "prediction_error" : "chunk_error";
    jobs_->EmitError(event,
                     fmt::format("Message larger than {} bytes: send the video in smaller chunks", limit));
    ack.Send(ordered_json::array());
    return true;
  }

  void OnDisconnect(std::string_view) override {
    jobs_->Cancel();
    assemblies_.clear();
  }

 private:
  void Pong() {
    ordered_json payload;
    payload["timestamp"] = UnixTime();
    payload["detector_ready"] = core_->detector_ready();
    socket_->Emit("pong", payload);
  }

  void PredictVideo(const json& data, const socketio::Ack& ack) {
    const auto refuse = [&](const std::string& message) {
      jobs_->EmitError("prediction_error", message);
      ack.Send(ordered_json::array());
    };
    if (!core_->detector_ready()) return refuse("Detector not initialized");
    if (!data.is_object()) return refuse(NoGet(data));
    const json& video = Get(data, "video");
    if (!PythonTruth(video)) return refuse("No video data provided");
    if (!video.is_string()) return refuse(NotText(video));
    auto media = DecodeVideo(video.get_ref<const std::string&>(), core_->context.data);
    if (!media) return refuse(media.error().message);
    jobs_->Start(std::move(*media), "single_upload", ack);
  }

  void VideoChunk(const json& data, const socketio::Ack& ack) {
    if (!data.is_object()) return ChunkError(ack, NoGet(data));
    const json zero = 0;
    const json& chunk_id = Get(data, "chunk_id", zero);
    const json& chunk = Get(data, "chunk");
    if (!PythonTruth(chunk)) return ChunkError(ack, "No chunk data provided", &chunk_id);
    auto id = ChunkIdOf(chunk_id);
    if (!id) return ChunkError(ack, id.error().message);
    const json& upload_id = Get(data, "upload_id");
    ChunkAssembly* const assembly = FindAssembly(upload_id);
    if (!assembly)
      return ChunkError(ack, fmt::format("upload_id must be a short text, and at most {} uploads run at once",
                                         kMaxAssemblies));
    const auto added = chunk.is_string() ? assembly->Add(std::move(*id), chunk.get_ref<const std::string&>())
                                         : assembly->AddOther(std::move(*id), PythonTypeName(chunk));
    if (!added) return ChunkError(ack, added.error().message, &chunk_id);

    const json& total = Get(data, "total_chunks");
    ordered_json received;
    received["chunk_id"] = chunk_id;
    received["chunks_received"] = assembly->count();
    received["total_expected"] = total;
    received["timestamp"] = UnixTime();
    if (!upload_id.is_null()) received["upload_id"] = upload_id;
    socket_->Emit("chunk_received", received);
    if (PythonTruth(Get(data, "is_last")) || PythonEquals(total, assembly->count()))
      return Join(upload_id, ack);
    ack.Send(ordered_json::array());
  }

  void ChunkError(const socketio::Ack& ack, const std::string& message, const json* chunk_id = nullptr) {
    ordered_json payload;
    payload["error"] = message;
    if (chunk_id) payload["chunk_id"] = *chunk_id;
    payload["timestamp"] = UnixTime();
    socket_->Emit("chunk_error", payload);
    ack.Send(ordered_json::array());
  }

  static std::string KeyOf(const json& upload_id) {
    return upload_id.is_string() ? upload_id.get<std::string>() : "";
  }

  /// The one with that id, which may begin here; null when it may not.
  ChunkAssembly* FindAssembly(const json& upload_id) {
    if (!upload_id.is_null() && !upload_id.is_string()) return nullptr;
    const auto key = KeyOf(upload_id);
    const auto found = assemblies_.find(key);
    if (found != assemblies_.end()) return found->second.get();
    if (assemblies_.size() >= kMaxAssemblies || key.size() > kMaxUploadId) return nullptr;
    auto assembly = std::make_unique<ChunkAssembly>(core_->context.data, core_->chunks, core_->chunk_limits);
    return assemblies_.emplace(key, std::move(assembly)).first->second.get();
  }

  void Join(const json& upload_id, const socketio::Ack& ack) {
    const auto found = assemblies_.find(KeyOf(upload_id));
    auto media = found->second->Join();
    assemblies_.erase(found);
    if (media) return jobs_->Start(std::move(*media), "chunked_upload", ack);
    jobs_->EmitError("reconstruction_error", "Failed to reconstruct video: " + media.error().message);
    ack.Send(ordered_json::array());
  }

  const std::shared_ptr<MesonetCore> core_;
  const std::shared_ptr<socketio::Socket> socket_;
  const std::shared_ptr<VideoJobs> jobs_;
  std::map<std::string, std::unique_ptr<ChunkAssembly>> assemblies_;  ///< by upload_id, "" without one
};

}  // namespace

socketio::ConnectHandler MesonetConnect(std::shared_ptr<MesonetCore> core) {
  return [core = std::move(core)](const std::shared_ptr<socketio::Socket>& socket,
                                  const json&) -> Result<std::unique_ptr<socketio::SocketEvents>> {
    return std::make_unique<MesonetSocket>(core, socket);
  };
}

std::unique_ptr<socketio::Server> MakeMesonetSockets(std::shared_ptr<MesonetCore> core, http::Server& http) {
  socketio::Options options;
  options.max_payload = kMaxPayload;
  options.dialect = socketio::Dialect::kPythonEngineIo;
  options.client_address = [proxies = core->context.trusted_proxies](const http::Request& request) {
    return ClientAddress(request, proxies);
  };
  auto server = socketio::Server::Create(std::move(options), http);
  server->Namespace("/", MesonetConnect(std::move(core)));
  return server;
}

}  // namespace unmask::compat
