// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace unmask {

/// Where the files that belong to this program are: beside it when installed (../lib/unmask,
/// ../share/unmask), or in the source tree when it runs from a build folder inside it. A path may not exist;
/// the caller says so with a hint.
struct InstallPaths {
  std::filesystem::path program_folder;  ///< holds unmask
  std::filesystem::path decoder;         ///< the program unmask-decoder
  std::filesystem::path models;          ///< the model repository
  std::filesystem::path detectors;       ///< BlazeFace's .tflite files and Haar's cascade
  std::filesystem::path web;             ///< the page
  std::filesystem::path swagger_ui;      ///< what /docs shows the interface with
};

/// Finds them once; cheap afterwards. Thread-safe.
const InstallPaths& FindInstallPaths();

}  // namespace unmask
