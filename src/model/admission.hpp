// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "model/network.hpp"
#include "model/served_model.hpp"
#include "unmask/serving.hpp"

namespace unmask {

/// What a version must pass before it serves: its files have the card's hashes, the engine loads and runs it,
/// and its golden inputs give their logits. In this process. Fails as Scorer::Load() and CheckGolden() do,
/// with kOverloaded alone when an engine elsewhere cannot be reached, is too slow, or answers 5xx before its
/// first answer: the same may succeed later. After `options.stop` a network that runs elsewhere is given up,
/// one that runs here is loaded to the end.
Result<ServedModel::Loaded> LoadChecked(const ModelCard& card, const NetworkOptions& options);

/// For a command that ends when its files are done: as Scorer::Load(). A model that `options.engines` sends
/// elsewhere must give its golden inputs, too, since nothing else shows that it is the same network there:
/// fails as CheckGolden().
Result<std::unique_ptr<Scorer>> LoadForRun(ModelCard card, const NetworkOptions& options);

/// The same as LoadChecked() in a process of its own, by `unmask model verify`, then here: a file that
/// crashes the engine, fills the memory or never ends costs the child alone. Fails with the child's error, or
/// with how it ended; `options.stop` ends the child. As LoadChecked() without `watch.trial`, and for a model
/// none of whose networks runs here.
Result<ServedModel::Loaded> LoadAfterTrial(const ModelCard& card, const NetworkOptions& options,
                                           const ModelWatch& watch);

/// A model of the repository `root` whose versions are loaded by these two: the first as LoadChecked(), later
/// ones as LoadAfterTrial(). Fails as ServedModel::Create().
Result<std::unique_ptr<ServedModel>> WatchModel(const std::filesystem::path& root, const std::string& name,
                                                const NetworkOptions& options, const ModelWatch& watch);

}  // namespace unmask
