// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/id.hpp"
#include "model/served_model.hpp"

namespace unmask {

/// A network that computes nothing.
class NoNetwork final : public Network {
 public:
  Result<std::vector<Tensor>> Infer(const Tensor&) override { return std::vector<Tensor>{}; }
  void Start(Tensor, std::stop_token, Done done) override { done(std::vector<Tensor>{}); }
  std::size_t width() const override { return 1; }
};

/// Takes every version, whose network is never run.
inline Result<ServedModel::Loaded> LoadNothing(const ModelCard& card, const std::stop_token& = {}) {
  return ServedModel::Loaded{.scorer = std::make_unique<Scorer>(card, std::make_unique<NoNetwork>()),
                             .golden = std::nullopt};
}

/// A test with a repository of its own, for versions of the model "face". It goes with the test.
class WithServedRepository : public testing::Test {
 protected:
  ~WithServedRepository() override { std::filesystem::remove_all(root_); }

  /// A version as a careful copier makes it, with model.json last. `note` makes it another content.
  void Put(int version, const std::string& note = "") {
    const std::filesystem::path folder = root_ / "face" / std::to_string(version);
    std::filesystem::create_directories(folder);
    nlohmann::json card = nlohmann::json::parse(
        ReadSmallFile(std::filesystem::path(UNMASK_SOURCE_DIR) / "models/face/1/model.json").value());
    card["version"] = version;
    card["description"] = note;
    ASSERT_TRUE(WriteFileAtomically(folder / "model.json", card.dump()));
  }

  void Label(const Rollout& rollout) {
    ASSERT_TRUE(
        RolloutFiles(root_ / "face").Change("cli", "promote", "", [&](const Rollout&) -> Result<Rollout> {
          return rollout;
        }));
  }

  const std::filesystem::path root_ = std::filesystem::temp_directory_path() / ("unmask-served-" + NewId());
};

}  // namespace unmask
