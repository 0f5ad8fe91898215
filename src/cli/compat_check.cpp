// SPDX-License-Identifier: Apache-2.0
#include "cli/compat_check.hpp"

#include <cstdio>
#include <cstdlib>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "cli/exit_code.hpp"
#include "cli/print.hpp"
#include "cli/signals.hpp"
#include "compat/faithful/faithful.hpp"

namespace unmask {
namespace {

/// A server on free ports of the loopback address, which serves one contract until it goes.
class OwnServer {
 public:
  /// The contract's URL in url(), or why there is none.
  static Result<std::unique_ptr<OwnServer>> Start(const CompatCheckCommand& command) {
    auto server = std::unique_ptr<OwnServer>(new OwnServer);
    compat::ContractOptions contracts;
    contracts.listeners = {{command.check.contract, "127.0.0.1:0"}};
    contracts.engines = {{command.check.contract, command.faithful}};
    if (!command.model.empty()) contracts.models = {{command.check.contract, command.model}};
    contracts.env_file = command.env_file;
    const auto environment = [](const std::string& name) -> std::optional<std::string> {
      const char* value = std::getenv(name.c_str());
      return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
    auto sites = compat::ContractSites(
        contracts, environment, compat::FaithfulEngines(command.analyzer),
        [server = server.get()](std::string_view, const std::string& url) { server->Decide(url); });
    if (!sites) return tl::unexpected(sites.error());
    auto analyzer = Analyzer::Create(command.analyzer);
    if (!analyzer) return tl::unexpected(analyzer.error());
    server->analyzer_ = std::move(*analyzer);

    auto url = server->url_promise_.get_future();
    server->thread_ = std::thread([server = server.get(), sites = std::move(*sites)] {
      const auto served = RunServer({.listen = "127.0.0.1:0", .grace = 0}, *server->analyzer_,
                                    server->stop_.get_token(), {}, sites);
      server->Decide(served ? Result<std::string>("") : tl::unexpected(served.error()));
    });
    auto started = url.get();
    if (!started) return tl::unexpected(started.error());
    server->url_ = std::move(*started);
    return server;
  }

  ~OwnServer() {
    stop_.request_stop();
    if (thread_.joinable()) thread_.join();
  }

  const std::string& url() const { return url_; }

 private:
  OwnServer() = default;

  /// The first word counts.
  void Decide(Result<std::string> result) {
    std::call_once(decided_, [&] { url_promise_.set_value(std::move(result)); });
  }

  std::unique_ptr<Analyzer> analyzer_;
  std::stop_source stop_;
  std::once_flag decided_;
  std::promise<Result<std::string>> url_promise_;
  std::string url_;
  std::thread thread_;
};

}  // namespace

int RunCompatCheck(const CompatCheckCommand& command) {
  SignalWatcher signals;
  compat::CheckOptions options = command.check;
  for (const auto& file : command.files)
    if (const auto sendable = compat::CheckSendable(options.contract, file); !sendable) {
      PrintError(sendable.error(), file.string());
      return kWrongUsage;
    }

  std::unique_ptr<OwnServer> own;
  if (options.ours.empty()) {
    auto started = OwnServer::Start(command);
    if (!started) {
      PrintError(started.error());
      return started.error().code == ErrorCode::kBadRequest ? kWrongUsage : kSomeFailed;
    }
    own = std::move(*started);
    options.ours = own->url();
  }

  compat::Checker checker(options, [](const std::string& service, double seconds) {
    fmt::print(stderr, "{} has reached its limit of requests; going on in {:.0f} s\n", service, seconds);
  });
  std::vector<compat::FileCheck> checks;
  for (const auto& file : command.files) {
    if (signals.token().stop_requested()) break;
    checks.push_back(checker.Check(file, signals.token()));
    if (!checks.back().unreachable.empty())
      PrintError({ErrorCode::kUnreadable, checks.back().unreachable, "", ""}, file.string());
  }
  std::fputs(
      command.json ? compat::CheckJson(options, checks).c_str() : compat::CheckText(options, checks).c_str(),
      stdout);
  if (signals.signalled()) return kInterrupted;
  const auto summary = compat::Summarise(checks);
  if (summary.unreachable > 0) return kSomeFailed;
  return summary.same_shape == summary.files ? kAllDone : kFailOn;
}

}  // namespace unmask
