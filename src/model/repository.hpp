// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "unmask/error.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// A version as it lies on the disk.
struct VersionFolder {
  int version = 0;
  /// Of the names, sizes and times of its files, and of an ensemble's members' files: differs when something
  /// was changed.
  std::string signature;
};

/// The folder models/<name>/<version>/, each with a model.json. Reads the disk at every call; holds nothing.
///
/// A version is there once its model.json is: who copies one puts that in last. Nothing outside the
/// repository is read: a folder or file that is a symbolic link out of it is an error. The card of an
/// ensemble comes with those of its members (ModelCard::members); it is broken when one of them is.
class ModelRepository {
 public:
  explicit ModelRepository(std::filesystem::path root) : root_(std::move(root)) {}

  /// All models whose card can be read, by name and rising version. kNotFound when the folder is absent.
  Result<std::vector<ModelCard>> List() const;

  /// The card of "NAME" (the stable version when there is one, else the highest), "NAME:VERSION" or
  /// "NAME@LABEL" (stable or canary). kNotFound says what there is; a broken card is kInternal.
  Result<ModelCard> Find(std::string_view name) const;

  /// The versions of a model, rising; kNotFound when it has no folder, kUnreadable when that cannot be read.
  Result<std::vector<VersionFolder>> Versions(const std::string& name) const;

  /// The card of one version; fails as Find().
  Result<ModelCard> Card(const std::string& name, int version) const;

  const std::filesystem::path& root() const { return root_; }

  /// Checks each file of the model, and of an ensemble's members, against its sha256 in the card. kInternal
  /// names the first file that differs.
  static Result<void> Verify(const ModelCard& card);

  /// The same for the files alone that the engine reads: the network's and, beside OpenVINO IR, its weights.
  static Result<void> VerifyNetwork(const ModelCard& card);

 private:
  std::filesystem::path root_;
};

/// Reads model.json's text, of an ensemble without its members' cards. The error names the key that is
/// missing or wrong.
Result<ModelCard> ParseModelCard(const std::string& json);

}  // namespace unmask
