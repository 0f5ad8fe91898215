// SPDX-License-Identifier: Apache-2.0
#include "compat/faithful/version_scorer.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "compat/faithful/network_scorer.hpp"
#include "model/ensemble.hpp"
#include "model/model_network.hpp"
#include "model/remote/remote_engine.hpp"
#include "model/repository.hpp"

namespace unmask::compat {
namespace {

namespace fs = std::filesystem;

class ProbabilityNetwork final : public Network {
 public:
  ProbabilityNetwork(std::shared_ptr<Network> odds, bool real)
      : odds_(std::move(odds)), sign_(real ? -1.0F : 1.0F) {}

  Result<std::vector<Tensor>> Infer(const Tensor& input) override { return Map(odds_->Infer(input), sign_); }

  void Start(Tensor input, std::stop_token stop, Done done) override {
    odds_->Start(std::move(input), std::move(stop), [done = std::move(done), sign = sign_](auto outputs) {
      done(Map(std::move(outputs), sign));
    });
  }

  std::vector<std::int64_t> input_shape() const override { return odds_->input_shape(); }
  std::size_t width() const override { return odds_->width(); }

 private:
  static Result<std::vector<Tensor>> Map(Result<std::vector<Tensor>> outputs, float sign) {
    if (outputs)
      for (Tensor& output : *outputs)
        for (float& value : output.values) value = 1 / (1 + std::exp(-sign * value));
    return outputs;
  }

  const std::shared_ptr<Network> odds_;
  const float sign_;
};

Result<ModelCard> CardOf(const fs::path& folder) {
  const fs::path version = fs::absolute(folder / "model.json").lexically_normal().parent_path();
  const std::string number = version.filename().string();
  int parsed = 0;
  const auto [end, failed] = std::from_chars(number.data(), number.data() + number.size(), parsed);
  if (failed != std::errc() || end != number.data() + number.size())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{} is no version of a model repository", folder.string()),
                "name a folder REPOSITORY/NAME/VERSION, or the network's file itself");
  return ModelRepository(version.parent_path().parent_path())
      .Card(version.parent_path().filename().string(), parsed);
}

std::string Describe(cv::Size size, std::optional<Channels> channels, double range) {
  const char* order = !channels ? "" : *channels == Channels::kRgb ? "red first, " : "blue first, ";
  return fmt::format("{}x{} pixels, {}0..{:g}", size.width, size.height, order, 255 / range);
}

Result<void> CheckInput(const ModelCard& card, cv::Size crop, const CropValues& values) {
  if (card.ensemble)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{}:{} is an ensemble and has no network of its own", card.name, card.version),
                fmt::format("name one of its members: {}", MemberNames(*card.ensemble)));
  const ModelInput& input = card.input;
  const auto order = input.rgb ? Channels::kRgb : Channels::kBgr;
  const auto is_plain = [](float mean) { return mean == 0; };
  const auto is_range = [&](float scale) { return static_cast<double>(scale) == values.range; };
  if (input.width == crop.width && input.height == crop.height &&
      (!values.channels || *values.channels == order) &&
      std::all_of(input.mean.begin(), input.mean.end(), is_plain) &&
      std::all_of(input.scale.begin(), input.scale.end(), is_range))
    return {};
  return Fail(
      ErrorCode::kBadRequest,
      fmt::format("{}:{} takes {}x{} pixels, {} first, (x - {}) / {}; the contract's crops are {}", card.name,
                  card.version, input.width, input.height, input.rgb ? "red" : "blue", input.mean[0],
                  input.scale[0], Describe(crop, values.channels, values.range)),
      "import the network that the original service ran, with the --colour and --scale of that service");
}

}  // namespace

bool IsVersionFolder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path / "model.json", ignored);
}

std::shared_ptr<Network> Probabilities(std::shared_ptr<Network> odds, bool real) {
  return std::make_shared<ProbabilityNetwork>(std::move(odds), real);
}

Result<std::shared_ptr<FaceScorer>> LoadVersionScorer(const fs::path& folder, cv::Size crop,
                                                      const CropValues& values, bool real_scores,
                                                      const NetworkOptions& options) {
  const auto card = CardOf(folder);
  if (!card) return tl::unexpected(card.error());
  if (auto fits = CheckInput(*card, crop, values); !fits) return tl::unexpected(fits.error());
  if (const auto engine = RemoteEngineOf(*card); !engine || *engine)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("{}:{} runs elsewhere (its card names an engine)", card->name, card->version),
                "the engine 'faithful' needs a version whose network lies in its folder");
  NetworkOptions one_by_one = options;
  one_by_one.batch = 1;
  auto loaded = LoadModelNetwork(*card, one_by_one);
  if (!loaded) return tl::unexpected(loaded.error());
  return MakeNetworkScorer(Probabilities(std::move(loaded->network), real_scores), crop,
                           {.name = card->name, .version = card->version, .sha256 = card->sha256});
}

}  // namespace unmask::compat
