// SPDX-License-Identifier: Apache-2.0
#include "base/install.hpp"

namespace unmask {
namespace {

namespace fs = std::filesystem;

InstallPaths Find() {
  std::error_code ignored;
  InstallPaths paths;
  paths.program_folder = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const fs::path share = paths.program_folder.parent_path() / "share" / "unmask";
  if (fs::exists(share / "models", ignored)) {
    paths.decoder = paths.program_folder.parent_path() / "lib" / "unmask" / "unmask-decoder";
    paths.models = share / "models";
    paths.detectors = share / "detectors";
    paths.web = share / "web";
    paths.swagger_ui = share / "swagger-ui";
  } else {
    const fs::path source = UNMASK_SOURCE_DIR;
    paths.decoder = paths.program_folder / "unmask-decoder";
    paths.models = source / "models";
    paths.detectors = source / "third_party" / "detectors";
    paths.web = source / "web";
    paths.swagger_ui = source / "third_party" / "swagger-ui";
  }
  return paths;
}

}  // namespace

const InstallPaths& FindInstallPaths() {
  static const InstallPaths paths = Find();
  return paths;
}

}  // namespace unmask
