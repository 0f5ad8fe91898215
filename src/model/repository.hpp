// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// The folder models/<name>/<version>/, each with a model.json. Reads the disk at every call; holds nothing.
class ModelRepository {
 public:
  explicit ModelRepository(std::filesystem::path root) : root_(std::move(root)) {}

  /// All models whose card can be read, by name and rising version. kNotFound when the folder is absent.
  Result<std::vector<ModelCard>> List() const;

  /// The card of "NAME" (highest version) or "NAME:VERSION". kNotFound says what there is; a broken card is
  /// kInternal.
  Result<ModelCard> Find(std::string_view name) const;

  /// Checks each file of the model against its sha256 in the card. kInternal names the first file that
  /// differs.
  static Result<void> Verify(const ModelCard& card);

  /// The same for the files alone that the engine reads: the network's and, beside OpenVINO IR, its weights.
  static Result<void> VerifyNetwork(const ModelCard& card);

 private:
  std::filesystem::path root_;
};

/// Reads model.json's text. The error names the key that is missing or wrong.
Result<ModelCard> ParseModelCard(const std::string& json);

}  // namespace unmask
