// SPDX-License-Identifier: Apache-2.0
#include "model/scorer.hpp"

#include <algorithm>
#include <mutex>
#include <optional>

#include <fmt/format.h>

#include "model/calibration.hpp"
#include "model/ensemble.hpp"
#include "model/model_network.hpp"

namespace unmask {
namespace {

using Outputs = std::vector<MemberOutput>;

/// What the networks say of the same faces; they end in any order.
struct Gathered {
  explicit Gathered(std::size_t networks) : outputs(networks), missing(networks) {}

  std::mutex mutex;
  std::vector<Outputs> outputs;  // of each network
  std::size_t missing;
  std::optional<Error> error;
  std::promise<Result<std::vector<FaceScore>>> promise;
};

/// One network needs no combination: its logit stays what it is, to the last digit.
float LogitOf(const std::optional<Ensemble>& ensemble, const Outputs& outputs) {
  if (!ensemble) return outputs.front().logit;
  std::vector<double> logits;
  for (const MemberOutput& output : outputs) logits.push_back(static_cast<double>(output.logit));
  return static_cast<float>(Combine(ensemble->combination, logits));
}

std::vector<FaceScore> Join(std::vector<Outputs> networks, const std::optional<Ensemble>& ensemble) {
  std::vector<FaceScore> scores(networks.front().size());
  for (std::size_t face = 0; face < scores.size(); ++face) {
    for (Outputs& outputs : networks) scores[face].members.push_back(std::move(outputs[face]));
    scores[face].logit = LogitOf(ensemble, scores[face].members);
  }
  return scores;
}

Error OfMember(Error error, const ModelCard& member, const ModelCard& ensemble) {
  error.message = fmt::format("{}:{}, a member of {}:{}: {}", member.name, member.version, ensemble.name,
                              ensemble.version, error.message);
  return error;
}

}  // namespace

Result<std::unique_ptr<Scorer>> Scorer::Load(ModelCard card, const NetworkOptions& options) {
  if (!card.ensemble) {
    auto loaded = LoadModelNetwork(card, options);
    if (!loaded) return tl::unexpected(loaded.error());
    return std::make_unique<Scorer>(std::move(card), std::move(loaded->network), loaded->batch);
  }
  if (card.members.size() != card.ensemble->members.size())
    return Fail(ErrorCode::kInternal, "the card of an ensemble came without its members' cards",
                "read it through the repository");
  std::vector<std::unique_ptr<MemberScorer>> members;
  for (const ModelCard& member : card.members) {
    auto loaded = LoadModelNetwork(member, options);
    if (!loaded) return tl::unexpected(OfMember(loaded.error(), member, card));
    members.push_back(std::make_unique<MemberScorer>(member, std::move(loaded->network), loaded->batch));
  }
  return std::make_unique<Scorer>(std::move(card), std::move(members));
}

Scorer::Scorer(ModelCard card, std::unique_ptr<Network> network, std::size_t batch) : card_(std::move(card)) {
  members_.push_back(std::make_unique<MemberScorer>(card_, std::move(network), batch));
  Arrange();
}

Scorer::Scorer(ModelCard card, std::vector<std::unique_ptr<MemberScorer>> members)
    : card_(std::move(card)), members_(std::move(members)) {
  Arrange();
}

bool Scorer::takes_any_number() const {
  return std::any_of(members_.begin(), members_.end(),
                     [](const auto& member) { return member->batch() == 0; });
}

void Scorer::Arrange() {
  for (const auto& member : members_) {
    const CropRule& rule = member->card().crop;
    const auto found = std::find(views_.begin(), views_.end(), rule);
    view_of_.push_back(static_cast<std::size_t>(found - views_.begin()));
    if (found == views_.end()) views_.push_back(rule);
    order_.push_back(order_.size());
  }
  std::stable_partition(order_.begin(), order_.end(),
                        [this](std::size_t i) { return members_[i]->batch() == 0; });
}

PreparedFace Scorer::Prepare(std::span<const cv::Mat> crops) const {
  PreparedFace face;
  for (std::size_t i = 0; i < members_.size(); ++i)
    face.inputs.push_back(members_[i]->Prepare(crops[view_of_[i]]));
  return face;
}

PreparedFace Scorer::Prepare(const cv::Mat& crop) const {
  return Prepare(std::vector<cv::Mat>(views_.size(), crop));
}

std::future<Result<std::vector<FaceScore>>> Scorer::Start(std::span<const PreparedFace> prepared,
                                                          std::stop_token stop) const {
  const auto gathered = std::make_shared<Gathered>(members_.size());
  auto future = gathered->promise.get_future();
  for (const std::size_t i : order_) {
    std::vector<cv::Mat> inputs;
    for (const PreparedFace& face : prepared)
      inputs.push_back(face.inputs.size() == members_.size() ? face.inputs[i] : cv::Mat());
    members_[i]->Start(inputs, stop, [this, gathered, i](Result<Outputs> outputs) {
      const std::lock_guard lock(gathered->mutex);
      if (outputs)
        gathered->outputs[i] = std::move(*outputs);
      else if (!gathered->error)
        gathered->error =
            card_.ensemble ? OfMember(outputs.error(), card_.members[i], card_) : outputs.error();
      if (--gathered->missing > 0) return;
      if (gathered->error)
        gathered->promise.set_value(tl::unexpected(std::move(*gathered->error)));
      else
        gathered->promise.set_value(Join(std::move(gathered->outputs), card_.ensemble));
    });
  }
  return future;
}

double Scorer::Calibrate(double logit) const { return CalibratedScore(logit, card_.calibration); }

}  // namespace unmask
