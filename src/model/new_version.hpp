// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "unmask/error.hpp"

namespace unmask {

/// kBadRequest unless `name` has letters, digits, '-', '_' and '.' alone, at most 64, and does not begin with
/// a dot.
Result<void> CheckModelName(const std::string& name);

/// A version on its way into the repository: a hidden folder beside the model's versions, which becomes one
/// as a whole or not at all. Others may make versions of the same model at the same time; not thread-safe
/// itself.
class NewVersion {
 public:
  /// `version` 0: the next one. kConflict when it exists, kUnreadable when the repository cannot be written.
  static Result<NewVersion> Begin(const std::filesystem::path& models, const std::string& name, int version);

  NewVersion(NewVersion&& other) noexcept;
  NewVersion& operator=(NewVersion&&) = delete;
  /// Removes what was not published, and the model's folder when it is new and empty.
  ~NewVersion();

  int version() const { return version_; }
  const std::filesystem::path& folder() const { return folder_; }  ///< until Publish()

  /// Makes the folder the version; gives its new place. kConflict when another process made it meanwhile.
  Result<std::filesystem::path> Publish();

 private:
  NewVersion(std::filesystem::path model, std::filesystem::path folder, int version, bool fresh)
      : model_(std::move(model)), folder_(std::move(folder)), version_(version), fresh_(fresh) {}

  std::filesystem::path model_;
  std::filesystem::path folder_;  // empty once published or moved from
  int version_;
  bool fresh_;
};

}  // namespace unmask
