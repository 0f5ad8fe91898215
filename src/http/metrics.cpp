// SPDX-License-Identifier: Apache-2.0
#include "http/metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace unmask::http {
namespace {

/// Methods come from clients: only known ones become labels.
std::string MethodLabel(const std::string& method) {
  constexpr std::array<std::string_view, 7> known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  return std::find(known.begin(), known.end(), method) != known.end() ? method : "other";
}

prometheus::MetricFamily Single(std::string name, std::string help, prometheus::MetricType type,
                                double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return {std::move(name), std::move(help), type, {metric}};
}

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double StartTime() {
  // proc(5): the 22nd field of stat is the start in clock ticks after boot; the second may hold spaces.
  std::ifstream stat("/proc/self/stat"), uptime("/proc/uptime");
  std::string line;
  std::getline(stat, line);
  std::istringstream fields(line.substr(std::min(line.rfind(')') + 1, line.size())));
  std::string skipped;
  for (int i = 3; i < 22; ++i) fields >> skipped;
  double ticks = 0, up = 0;
  fields >> ticks;
  uptime >> up;
  const double now =
      std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return now - up + ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

/// The names and meanings of the Prometheus client libraries.
void AppendProcess(std::vector<prometheus::MetricFamily>& families, double start_time) {
  using prometheus::MetricType;
  std::ifstream statm("/proc/self/statm");
  double pages = 0, resident = 0;
  statm >> pages >> resident;
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  rusage children{};
  ::getrusage(RUSAGE_CHILDREN, &children);
  std::error_code ec;
  const auto fds = std::distance(std::filesystem::directory_iterator("/proc/self/fd", ec), {});
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);

  families.push_back(Single("process_resident_memory_bytes",
                            "Resident memory of the server, without decoders", MetricType::Gauge,
                            resident * page));
  families.push_back(
      Single("process_virtual_memory_bytes", "Address space of the server", MetricType::Gauge, pages * page));
  families.push_back(Single("process_cpu_seconds_total", "CPU time of the server, without decoders",
                            MetricType::Counter, Seconds(usage.ru_utime) + Seconds(usage.ru_stime)));
  families.push_back(Single("unmask_decoder_cpu_seconds_total", "CPU time of decoders that have ended",
                            MetricType::Counter, Seconds(children.ru_utime) + Seconds(children.ru_stime)));
  families.push_back(
      Single("process_open_fds", "Open file descriptors", MetricType::Gauge, static_cast<double>(fds)));
  families.push_back(Single("process_max_fds", "Most file descriptors that may be open", MetricType::Gauge,
                            static_cast<double>(limit.rlim_cur)));
  families.push_back(Single("process_start_time_seconds", "Start of the process, seconds since 1970",
                            MetricType::Gauge, start_time));
}

}  // namespace

struct Metrics::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests =
      prometheus::BuildCounter()
          .Name("unmask_http_requests_total")
          .Help("Requests by method, route template and status")
          .Register(registry);
  prometheus::Family<prometheus::Histogram>& durations =
      prometheus::BuildHistogram()
          .Name("unmask_http_request_duration_seconds")
          .Help("From the first byte of a request to the last of its answer")
          .Register(registry);
  prometheus::Histogram& body_bytes = prometheus::BuildHistogram()
                                          .Name("unmask_http_request_body_bytes")
                                          .Help("Sizes of request bodies, where there is one")
                                          .Register(registry)
                                          .Add({}, LogBuckets(1 << 10, 4e9, 4));
  prometheus::Gauge& uploads = prometheus::BuildGauge()
                                   .Name("unmask_uploads_in_progress")
                                   .Help("Bodies that are arriving")
                                   .Register(registry)
                                   .Add({});
  prometheus::Gauge& web_sockets = prometheus::BuildGauge()
                                       .Name("unmask_websockets_open")
                                       .Help("WebSockets that are open")
                                       .Register(registry)
                                       .Add({});
  const std::vector<double> duration_bounds = LogBuckets(0.001, 120, 2.5);
  const double start_time = StartTime();
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

prometheus::Registry& Metrics::registry() { return state_->registry; }

std::string Metrics::Serialize() const {
  auto families = state_->registry.Collect();
  AppendProcess(families, state_->start_time);
  return prometheus::TextSerializer().Serialize(families);
}

void Metrics::OnRequest(const std::string& method, const std::string& route, int status, double seconds,
                        std::uint64_t body_bytes) {
  state_->requests
      .Add({{"method", MethodLabel(method)}, {"route", route}, {"status", std::to_string(status)}})
      .Increment();
  state_->durations.Add({{"route", route}}, state_->duration_bounds).Observe(seconds);
  if (body_bytes > 0) state_->body_bytes.Observe(static_cast<double>(body_bytes));
}

void Metrics::OnUploadBegin() { state_->uploads.Increment(); }
void Metrics::OnUploadEnd() { state_->uploads.Decrement(); }
void Metrics::OnWebSocketBegin() { state_->web_sockets.Increment(); }
void Metrics::OnWebSocketEnd() { state_->web_sockets.Decrement(); }

std::vector<double> LogBuckets(double least, double most, double factor) {
  std::vector<double> bounds;
  for (double bound = least; bound <= most * 1.0001; bound *= factor) {
    const double unit = std::pow(10, std::floor(std::log10(bound)) - 1);
    bounds.push_back(std::round(bound / unit) * unit);
  }
  return bounds;
}

std::string EscapedLabel(const std::string& value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

}  // namespace unmask::http
