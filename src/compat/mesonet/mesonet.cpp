// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/mesonet.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>
#include <utility>

#include <nlohmann/json.hpp>

#include "compat/fast_api.hpp"
#include "compat/mesonet/answers.hpp"
#include "compat/mesonet/core.hpp"
#include "compat/mesonet/events.hpp"
#include "compat/mesonet/video_type.hpp"
#include "compat/site.hpp"
#include "compat/wait.hpp"

namespace unmask::compat {
namespace {

using nlohmann::ordered_json;

/// Bytes of this process in memory; 0 when the system does not tell.
std::int64_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "re");
  if (!file) return 0;
  long total = 0;
  long resident = 0;
  const int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? std::int64_t{resident} * ::sysconf(_SC_PAGESIZE) : 0;
}

ordered_json System(const AnalysisService& service) {
  double load = 0;
  if (::getloadavg(&load, 1) != 1) load = 0;
  return {{"cpus", std::thread::hardware_concurrency()},
          {"load_average", load},
          {"memory_bytes", ResidentBytes()},
          {"analyses_waiting", service.pending()}};
}

http::Response Root(const MesonetCore& core) {
  ordered_json body;
  body["service"] = "Deepfake Detection API";
  body["version"] = "1.0.0";
  body["status"] = "running";
  body["detector_ready"] = core.detector_ready();
  body["endpoints"] = {{"websocket", "Connect to /socket.io/ for real-time detection"},
                       {"http_upload", "POST /upload for file upload"},
                       {"health", "GET /health for health check"}};
  body["usage"] = {{"videos_by_http", core.uploads.load()},
                   {"videos_by_socket", core.messages.load()},
                   {"socket_connections", core.connections.load()},
                   {"sockets_connected", core.connected.load()}};
  return http::JsonResponse(200, FastApiJson(body));
}

http::Response Health(const MesonetCore& core) {
  const auto& settings = *core.context.settings;
  ordered_json body;
  body["status"] = core.detector_ready() ? "healthy" : "unhealthy";
  body["detector_loaded"] = core.detector_ready();
  body["model_path"] = settings.model_path;
  body["label_path"] = settings.label_path;
  body["timestamp"] = UnixTime();
  body["system"] = System(core.context.service);
  body["unmask"] = {{"engine", core.context.engine()}};
  return http::JsonResponse(200, FastApiJson(body));
}

void Upload(const std::shared_ptr<MesonetCore>& core, const http::RequestPtr& request, Form form,
            http::Responder responder) {
  if (form.malformed) return responder.Send(FastApiMalformed(*request));
  if (!form.file) return responder.Send(FastApiInvalid({FastApiNoFile(form, "file")}));
  if (!core->detector_ready()) return responder.Send(FastApiDetail(503, "Detector not initialized"));
  if (!IsVideoUpload(*form.file)) return responder.Send(FastApiDetail(400, "File must be a video"));
  ++core->uploads;
  const auto run = std::make_shared<MesonetRun>();
  AnalysisService::Job job{.media = std::move(form.file->media),
                           .name = LabelOf(*form.file, "video"),
                           .options = MesonetOptions(run)};
  AnswerByAnalysis(core->context, request, std::move(responder),
                   {.job = std::move(job),
                    .render =
                        [core, run, filename = std::move(form.file->filename)](const AnalysisRecord& record,
                                                                               const Report& report) {
                          const auto body = MesonetResult(core->context, record, report, *run,
                                                          {.filename = filename, .source = std::nullopt});
                          return http::JsonResponse(200, FastApiJson(body));
                        },
                    .fault = [core](const Error& error) { return MesonetFault(core->context, error); }});
}

}  // namespace

ServedContract MakeMesonetApi(const ContractContext& context) {
  const auto core = std::make_shared<MesonetCore>(context);
  Site site(Site::Framework::kFastApi, true,
            [context](const Error& error) { return MesonetFault(context, error); });
  site.Docs(context);
  const auto answer = [core](http::Response (*make)(const MesonetCore&)) {
    return [core, make](const http::RequestPtr&, const http::Responder& responder) {
      responder.Send(make(*core));
    };
  };
  site.Get("/", answer(Root), http::Route::Runs::kInPlace);
  site.Get("/health", answer(Health), http::Route::Runs::kInPlace);
  site.Post("/upload", context.max_upload_bytes,
            [core](const http::RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
              return ReceiveForm(request, core->context.data, FastApiForm("file"),
                                 [core, request](Form form, http::Responder responder) {
                                   Upload(core, request, std::move(form), std::move(responder));
                                 });
            });
  if (!context.server) return {site.Finish(), {}};
  const std::shared_ptr<socketio::Server> sockets = MakeMesonetSockets(core, *context.server);
  sockets->Mount(site.router());
  return {site.Finish(), [sockets] { sockets->Shutdown(); }};
}

}  // namespace unmask::compat
