// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace unmask::keras {

/// Why a file is not accepted: what was expected, what was found and where. Thrown inside this folder;
/// ReadKerasModel() turns it into an Error.
class BadFile : public std::runtime_error {
 public:
  explicit BadFile(const std::string& message, std::string advice = {})
      : std::runtime_error(message), hint(std::move(advice)) {}

  std::string hint;  ///< what to do; may be empty
};

/// Numbers of a data set, row-major.
struct Array {
  std::vector<std::size_t> shape;  ///< empty: one number
  std::vector<float> values;
};

/// What the readers of Keras models see of a file of weights: groups, data sets of numbers, attributes of
/// text. Paths are names with '/' between them; "" is the root. Every call may throw BadFile.
class WeightFile {
 public:
  virtual ~WeightFile() = default;

  /// Whether `path` is a group or data set here.
  virtual bool Has(const std::string& path) const = 0;
  virtual bool HasAttribute(const std::string& path, const std::string& name) const = 0;

  /// A text, or the only one of a list.
  virtual std::string Text(const std::string& path, const std::string& attribute) const = 0;
  /// A list of texts. Keras cuts long lists into the attributes NAME0, NAME1...: they are joined.
  virtual std::vector<std::string> Texts(const std::string& path, const std::string& attribute) const = 0;

  /// A data set of floats or integers as 32-bit floats: as many as its shape says.
  virtual Array Numbers(const std::string& path) const = 0;

 protected:
  WeightFile() = default;
  WeightFile(WeightFile&&) = default;
};

}  // namespace unmask::keras
