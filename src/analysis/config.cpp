// SPDX-License-Identifier: Apache-2.0
#include "analysis/config.hpp"

#include "base/install.hpp"
#include "model/compiled_cache.hpp"

namespace unmask {

AnalyzerConfig WithDefaults(AnalyzerConfig config) {
  const InstallPaths& paths = FindInstallPaths();
  if (config.models.empty()) config.models = paths.models;
  if (config.detectors.empty()) config.detectors = paths.detectors;
  if (config.decoder.empty()) config.decoder = paths.decoder;
  if (!config.cache) config.cache = DefaultCacheFolder();
  return config;
}

NetworkOptions NetworkOptionsOf(const AnalyzerConfig& config) {
  return {
      .device = config.device, .threads = config.threads, .cache = *config.cache, .engines = config.engines};
}

}  // namespace unmask
