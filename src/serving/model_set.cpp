// SPDX-License-Identifier: Apache-2.0
#include "serving/model_set.hpp"

#include <algorithm>
#include <utility>

namespace unmask::serving {
namespace {

class Followed final : public OfferedModel {
 public:
  explicit Followed(std::shared_ptr<const ServedModel> model) : model_(std::move(model)) {}

  const std::string& name() const override { return model_->name(); }
  std::vector<VersionStatus> Status() const override { return model_->Status(); }
  Result<void> Ready() const override { return model_->Ready(); }

  Result<std::shared_ptr<const ServedNetwork>> Take(std::string_view which) const override {
    auto lease = model_->TakeNamed(which);
    if (!lease) return nullptr;
    if (!*lease->tensors) return tl::unexpected(lease->tensors->error());
    const NetworkTensors* const tensors = &**lease->tensors;
    return std::make_shared<const ServedNetwork>(
        std::move(lease->scorer), std::shared_ptr<const NetworkTensors>(std::move(lease->tensors), tensors));
  }

  std::optional<int> VersionOf(std::string_view label) const override {
    const Rollout rollout = model_->rollout();
    if (label == "stable") return rollout.stable;
    return label == "canary" ? rollout.canary : std::nullopt;
  }

 private:
  std::shared_ptr<const ServedModel> model_;
};

class Fixed final : public OfferedModel {
 public:
  explicit Fixed(std::vector<std::shared_ptr<const ServedNetwork>> versions)
      : versions_(std::move(versions)) {
    std::sort(versions_.begin(), versions_.end(),
              [](const auto& a, const auto& b) { return a->card().version < b->card().version; });
    const auto same = [](const auto& a, const auto& b) { return a->card().version == b->card().version; };
    versions_.erase(std::unique(versions_.begin(), versions_.end(), same), versions_.end());
  }

  const std::string& name() const override { return versions_.front()->card().name; }

  std::vector<VersionStatus> Status() const override {
    std::vector<VersionStatus> all;
    for (const auto& network : versions_)
      all.push_back({.version = network->card().version,
                     .state = VersionState::kAvailable,
                     .sha256 = network->card().sha256,
                     .serving = network == versions_.back()});
    return all;
  }

  Result<void> Ready() const override { return {}; }

  Result<std::shared_ptr<const ServedNetwork>> Take(std::string_view which) const override {
    if (which.empty()) return versions_.back();
    for (const auto& network : versions_)
      if (std::to_string(network->card().version) == which) return network;
    return nullptr;
  }

  std::optional<int> VersionOf(std::string_view) const override { return std::nullopt; }

 private:
  std::vector<std::shared_ptr<const ServedNetwork>> versions_;
};

}  // namespace

std::shared_ptr<const OfferedModel> OfferFollowed(std::shared_ptr<const ServedModel> model) {
  return std::make_shared<const Followed>(std::move(model));
}

std::shared_ptr<const OfferedModel> OfferFixed(std::vector<std::shared_ptr<const ServedNetwork>> versions) {
  return std::make_shared<const Fixed>(std::move(versions));
}

Result<void> ModelSet::Ready() const {
  for (const auto& model : models_)
    if (auto ready = model->Ready(); !ready) return ready;
  return {};
}

const OfferedModel* ModelSet::Find(std::string_view name) const {
  for (const auto& model : models_)
    if (model->name() == name) return model.get();
  return nullptr;
}

}  // namespace unmask::serving
