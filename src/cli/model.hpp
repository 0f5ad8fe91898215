// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "model/import/import.hpp"
#include "unmask/model.hpp"

namespace unmask {

/// What `unmask model` was told.
struct ModelCommand {
  enum class Action { kList, kShow, kImport };
  Action action = Action::kList;
  std::filesystem::path models;  ///< the repository; empty: the installed one
  std::string name;              ///< for kShow: NAME or NAME:VERSION
  bool json = false;             ///< the card's own JSON
  ImportRequest request;         ///< for kImport; its repository is `models`
};

/// Prints the models. Returns the exit code.
int RunModel(const ModelCommand& command);

/// The card's facts for people to read.
std::string DescribeModel(const ModelCard& card);

}  // namespace unmask
