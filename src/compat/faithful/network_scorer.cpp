// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/network_scorer.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/file.hpp"
#include "base/hash.hpp"

namespace unmask::compat {
namespace {

constexpr std::size_t kChannels = 3;
constexpr std::size_t kBatch = 16;  // crops kept before they are scored: some for every stream of the engine

/// The one number in a network's outputs.
Result<float> ReadScore(const Result<std::vector<Tensor>>& outputs) {
  if (!outputs) return tl::unexpected(outputs.error());
  if (outputs->size() != 1)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a network with one output, found {}", outputs->size()));
  const Tensor& output = outputs->front();
  if (output.values.size() != 1)
    return Fail(
        ErrorCode::kBadRequest,
        fmt::format("expected a network whose output is one number for a picture, found one of shape [{}]",
                    fmt::join(output.shape, ",")));
  const float score = output.values.front();
  if (!(score >= 0 && score <= 1))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a network whose output is from 0 to 1, found {}", score),
                "its last step should be a sigmoid");
  return score;
}

/// Gathers the scores of crops that are computed side by side.
class Gathering {
 public:
  explicit Gathering(std::size_t count) : scores_(count) {}

  Network::Done Expect(std::size_t index) {
    const std::lock_guard lock(mutex_);
    ++pending_;
    return [this, index](Result<std::vector<Tensor>> outputs) { Take(index, ReadScore(outputs)); };
  }

  Result<std::vector<float>> Wait() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return pending_ == 0; });
    if (error_) return tl::unexpected(*error_);
    return std::move(scores_);
  }

 private:
  void Take(std::size_t index, const Result<float>& score) {
    const std::lock_guard lock(mutex_);
    if (score) scores_[index] = *score;
    if (!score && !error_) error_ = score.error();
    --pending_;
    wake_.notify_all();  // under the lock: this object may go as soon as nothing is pending
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::size_t pending_ = 0;
  std::vector<float> scores_;
  std::optional<Error> error_;
};

class NetworkScorer final : public FaceScorer {
 public:
  NetworkScorer(std::shared_ptr<Network> network, bool planes, ModelFacts facts)
      : network_(std::move(network)), planes_(planes), facts_(std::move(facts)) {}

  Result<std::vector<float>> Score(const CropBatch& crops, std::stop_token stop) override {
    Gathering gathering(crops.count);
    for (std::size_t i = 0; i < crops.count; ++i) {
      if (stop.stop_requested()) break;
      network_->Start(Input(crops, i), stop, gathering.Expect(i));
    }
    auto scores = gathering.Wait();
    if (stop.stop_requested()) return Fail(ErrorCode::kCancelled, "the analysis was cancelled");
    // The fault is the model's, not the client's.
    if (!scores) return Fail(ErrorCode::kInternal, scores.error().message, scores.error().hint);
    return scores;
  }

  std::size_t batch() const override { return kBatch; }
  ModelFacts facts() const override { return facts_; }

  /// Runs it once on a black picture.
  Result<void> WarmUp(cv::Size crop) {
    const CropBatch black{.count = 1,
                          .height = static_cast<std::size_t>(crop.height),
                          .width = static_cast<std::size_t>(crop.width),
                          .values = std::vector<float>(static_cast<std::size_t>(crop.area()) * kChannels)};
    const auto score = ReadScore(network_->Infer(Input(black, 0)));
    return score ? Result<void>() : tl::unexpected(score.error());
  }

 private:
  Tensor Input(const CropBatch& crops, std::size_t index) const {
    const std::size_t pixels = crops.height * crops.width;
    const auto crop = std::span(crops.values).subspan(index * pixels * kChannels, pixels * kChannels);
    if (!planes_)
      return {.shape = {1, crops.height, crops.width, kChannels}, .values = {crop.begin(), crop.end()}};
    Tensor tensor{.shape = {1, kChannels, crops.height, crops.width}};
    tensor.values.resize(crop.size());
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < kChannels; ++c) tensor.values[c * pixels + i] = crop[i * kChannels + c];
    return tensor;
  }

  const std::shared_ptr<Network> network_;
  const bool planes_;  // channels come first
  const ModelFacts facts_;
};

bool Fits(std::span<const std::int64_t> shape, std::array<std::int64_t, 4> wanted) {
  return std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(),
                    [](std::int64_t found, std::int64_t want) { return found == -1 || found == want; });
}

std::string ShapeText(std::span<const std::int64_t> shape) {
  std::string text;
  for (const std::int64_t dimension : shape)
    text += (text.empty() ? "" : ",") + (dimension < 0 ? std::string("?") : std::to_string(dimension));
  return "[" + text + "]";
}

/// One hash for a file, or for all files of a folder.
Result<std::string> HashOf(const std::filesystem::path& model) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  if (std::filesystem::is_directory(model, error)) {
    for (auto it = std::filesystem::recursive_directory_iterator(model, error);
         !error && it != std::filesystem::recursive_directory_iterator(); it.increment(error))
      if (it->is_regular_file(error)) files.push_back(it->path());
    std::sort(files.begin(), files.end());
  } else {
    files.push_back(model);
    auto weights = model;
    weights.replace_extension(".bin");
    if (model.extension() == ".xml" && std::filesystem::exists(weights, error)) files.push_back(weights);
  }
  Sha256 all;
  for (const auto& file : files) {
    const auto fd = OpenForReading(file);
    if (!fd) return tl::unexpected(fd.error());
    auto one = Sha256OfFile(fd->get());
    if (!one || files.size() == 1) return one;
    all.Update(*one);
  }
  return all.Finish();
}

}  // namespace

Result<std::shared_ptr<FaceScorer>> MakeNetworkScorer(std::shared_ptr<Network> network, cv::Size crop,
                                                      ModelFacts facts) {
  const auto shape = network->input_shape();
  const bool last = Fits(shape, {1, crop.height, crop.width, kChannels});
  if (!last && !Fits(shape, {1, kChannels, crop.height, crop.width}))
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected a network with an input of [1,{0},{1},3] or [1,3,{0},{1}], found {2}",
                            crop.height, crop.width, ShapeText(shape)),
                "give the model that the original service ran");
  const auto scorer = std::make_shared<NetworkScorer>(std::move(network), !last, std::move(facts));
  if (const auto warm = scorer->WarmUp(crop); !warm) return tl::unexpected(warm.error());
  return scorer;
}

Result<std::shared_ptr<FaceScorer>> LoadNetworkScorer(const std::filesystem::path& model, cv::Size crop,
                                                      const NetworkOptions& options) {
  NetworkOptions one_by_one = options;
  one_by_one.batch = 1;
  auto network = LoadNetwork(model, one_by_one);
  if (!network) return tl::unexpected(network.error());
  auto sha256 = HashOf(model);
  if (!sha256) return tl::unexpected(sha256.error());
  const auto path = model.has_filename() ? model : model.parent_path();  // folders may end with a slash
  auto scorer = MakeNetworkScorer(
      std::move(*network), crop,
      {.name = path.filename().string(), .version = 1, .sha256 = std::move(*sha256), .calibrated = false});
  if (!scorer)
    return Fail(scorer.error().code, fmt::format("{}: {}", model.string(), scorer.error().message),
                scorer.error().hint);
  return scorer;
}

}  // namespace unmask::compat
