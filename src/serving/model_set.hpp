// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/served_model.hpp"
#include "serving/served_network.hpp"
#include "unmask/error.hpp"

namespace unmask::serving {

/// A model that a server offers, with its versions. Thread-safe; calls are quick.
class OfferedModel {
 public:
  virtual ~OfferedModel() = default;

  virtual const std::string& name() const = 0;

  /// Its versions, rising, with the states that they have now.
  virtual std::vector<VersionStatus> Status() const = 0;

  /// kOverloaded, with the reason, while no version answers those who do not choose.
  virtual Result<void> Ready() const = 0;

  /// The version that `which` names: "" the one that answers when nobody chooses, a number in decimal, or a
  /// label in force. Null unless it is AVAILABLE. kInternal when its network cannot be offered.
  virtual Result<std::shared_ptr<const ServedNetwork>> Take(std::string_view which) const = 0;

  /// The version that a label names, whatever its state; nothing for a label that is not in force.
  virtual std::optional<int> VersionOf(std::string_view label) const = 0;
};

/// A model whose versions come and go. Who holds one of its networks ends on that version.
std::shared_ptr<const OfferedModel> OfferFollowed(std::shared_ptr<const ServedModel> model);

/// Versions of one model that were chosen by number and stay: all AVAILABLE, without labels; the highest
/// answers. At least one, all with the same name.
std::shared_ptr<const OfferedModel> OfferFixed(std::vector<std::shared_ptr<const ServedNetwork>> versions);

/// All models that a server offers. A value.
class ModelSet {
 public:
  explicit ModelSet(std::vector<std::shared_ptr<const OfferedModel>> models) : models_(std::move(models)) {}

  /// Null when there is none of that name.
  const OfferedModel* Find(std::string_view name) const;

  /// Fails as the first model does that is not ready.
  Result<void> Ready() const;

 private:
  std::vector<std::shared_ptr<const OfferedModel>> models_;
};

}  // namespace unmask::serving
