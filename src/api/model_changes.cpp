// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/admin.hpp"
#include "api/models.hpp"
#include "api/small_body.hpp"
#include "http/problem.hpp"
#include "model/gate_check.hpp"
#include "model/repository.hpp"
#include "model/served_model.hpp"
#include "render/json_value.hpp"

namespace unmask {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kMostBody = 64 << 10;
constexpr std::size_t kMostReason = 1000;  // bytes of a reason in the log

/// What the three requests may say.
struct Wanted {
  std::optional<int> version;
  std::optional<double> percent;
  bool shadow = false;
  std::string reason;
};

Result<Wanted> ReadWanted(const std::string& body, const std::vector<std::string_view>& known) {
  const auto json = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
  const auto refuse = [](std::string message) {
    return Fail(ErrorCode::kBadRequest, std::move(message), "see /docs for what this request takes");
  };
  if (!json.is_object()) return refuse("the body is not a JSON object");
  Wanted wanted;
  for (const auto& [key, value] : json.items()) {
    if (std::find(known.begin(), known.end(), key) == known.end())
      return refuse(fmt::format("unknown member '{}'", key));
    if (key == "version") {
      if (!value.is_number_integer() || value < 1 || value > 2147483647)
        return refuse("version must be a whole number from 1 on");
      wanted.version = value.get<int>();
    } else if (key == "percent") {
      if (!value.is_number()) return refuse("percent must be a number");
      wanted.percent = value.get<double>();
    } else if (key == "shadow") {
      if (!value.is_boolean()) return refuse("shadow must be true or false");
      wanted.shadow = value.get<bool>();
    } else {
      if (!value.is_string() || value.get_ref<const std::string&>().size() > kMostReason)
        return refuse(fmt::format("reason must be a text of at most {} bytes", kMostReason));
      wanted.reason = value.get<std::string>();
    }
  }
  return wanted;
}

/// A version that is to answer must be there, and must not be known to be broken.
Result<void> CheckVersion(const ModelsView& view, const std::string& name, std::optional<int> version) {
  if (!version) return {};
  if (const ServedModel* served = WatchedModel(view, name)) {
    for (const VersionStatus& status : served->Status()) {
      if (status.version != *version) continue;
      if (!status.error || status.state == VersionState::kLoading) return {};  // it may only wait
      return Fail(ErrorCode::kConflict,
                  fmt::format("version {} could not be loaded: {}", *version, status.error->message),
                  status.error->hint);
    }
  } else if (const auto card = ModelRepository(view.models).Card(name, *version); card) {
    return {};
  }
  return Fail(ErrorCode::kConflict, fmt::format("{} has no version {}", name, *version),
              fmt::format("GET /v1/models/{} lists what there is", name));
}

int ServingVersion(const ModelsView& view, const std::string& name) {
  if (const ServedModel* served = WatchedModel(view, name)) return served->serving();
  const ModelCard& serving = view.analyzer.model();
  if (serving.name == name) return serving.version;
  const auto card = ModelRepository(view.models).Find(name);
  return card ? card->version : 0;
}

using Change = std::function<Result<Rollout>(const Rollout& now, const Wanted& wanted, int serving)>;

struct Action {
  const char* name;
  std::vector<std::string_view> members;
  Change change;
};

Result<http::Response> Carry(const ModelsView& view, const http::Request& request, const Action& action,
                             const std::string& body) {
  const auto name = KnownModel(view, request.params.at("name"));
  if (!name) return tl::unexpected(name.error());
  const auto wanted = ReadWanted(body, action.members);
  if (!wanted) return tl::unexpected(wanted.error());
  const int serving = ServingVersion(view, *name);
  const auto change = [&](const Rollout& now) -> Result<Rollout> {
    auto next = action.change(now, *wanted, serving);
    if (!next) return next;
    if (view.require_gate && std::string_view(action.name) != "rollback")
      if (auto passed = CheckGate(ModelRepository(view.models), *name, now, *next, serving); !passed)
        return tl::unexpected(passed.error());
    for (const auto version : {next->stable, next->canary})
      if (version != now.stable && version != now.canary)
        if (auto checked = CheckVersion(view, *name, version); !checked)
          return tl::unexpected(checked.error());
    return next;
  };
  ServedModel* served = WatchedModel(view, *name);
  const auto changed =
      served != nullptr
          ? served->Change("api", action.name, wanted->reason, change)
          : RolloutFiles(view.models / *name).Change("api", action.name, wanted->reason, change);
  if (!changed) return tl::unexpected(changed.error());
  return ModelAnswer(view, *name);
}

/// Answers the same, whatever comes.
class Refusal final : public http::BodyReceiver {
 public:
  explicit Refusal(http::Response response) : response_(std::move(response)) {}
  Result<void> Write(std::string_view) override { return {}; }
  void Finish(http::Responder responder) override { responder.Send(std::move(response_)); }

 private:
  http::Response response_;
};

void AddChange(http::Router& router, const ModelsView& view, const std::string& token, Action action) {
  router.Post(fmt::format("/{{name}}/{}", action.name), kMostBody,
              [view, token, action = std::make_shared<const Action>(std::move(action))](
                  const http::RequestPtr& request) -> Result<std::unique_ptr<http::BodyReceiver>> {
                if (auto refusal = RefuseUnlessAdmin(*request, token))
                  return std::make_unique<Refusal>(std::move(*refusal));
                return std::make_unique<SmallBody>([view, action, request](const std::string& body) {
                  auto answer = Carry(view, *request, *action, body);
                  return answer ? std::move(*answer) : http::Problem(answer.error(), request->trace_id);
                });
              });
}

}  // namespace

std::shared_ptr<const http::Router> ModelChangeRoutes(const ModelsView& view, const std::string& token) {
  auto router = std::make_shared<http::Router>();
  AddChange(*router, view, token,
            {.name = "promote",
             .members = {"version", "reason"},
             .change = [](const Rollout& now, const Wanted& wanted, int serving) {
               return Promote(now, wanted.version, serving);
             }});
  AddChange(*router, view, token,
            {.name = "rollback", .members = {"reason"}, .change = [](const Rollout& now, const Wanted&, int) {
               return Rollback(now);
             }});
  AddChange(*router, view, token,
            {.name = "route",
             .members = {"version", "percent", "shadow", "reason"},
             .change = [](const Rollout& now, const Wanted& wanted, int serving) -> Result<Rollout> {
               if (!wanted.percent)
                 return Fail(ErrorCode::kBadRequest, "percent is missing (expected 0 to 100)",
                             "the share of the files that meet the canary");
               return Route(now, wanted.version, *wanted.percent, wanted.shadow, serving);
             }});
  return router;
}

}  // namespace unmask
