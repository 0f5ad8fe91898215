// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "model/keras/weight_file.hpp"

namespace unmask::keras {

/// An HDF5 file that may come from anybody, opened for reading.
///
/// Asks the library for no memory before the size is checked against the file's own: a data set may not claim
/// more numbers than its stored bytes can hold. Refuses what could lead out of the file or into other code:
/// links other than hard ones, data in other files, virtual data sets, filters other than gzip and shuffle.
/// Every call throws BadFile. libhdf5 itself has had memory errors on hostile files: files that are not
/// trusted are read in a process of their own (model/import). Not thread-safe; several objects may be used at
/// once.
class Hdf5File final : public WeightFile {
 public:
  /// Most numbers that one object reads in its life: 2^29 of 4 bytes are 2 GiB, twice VGG19 with its
  /// optimizer.
  static constexpr std::uint64_t kMaxNumbers = std::uint64_t{1} << 29;
  /// Longest text of one attribute; the config of EfficientNet-B7 has half a megabyte.
  static constexpr std::size_t kMaxText = 32 << 20;

  static Hdf5File Open(const std::filesystem::path& path);
  /// Copies `content`.
  static Hdf5File FromBytes(std::string_view content);

  Hdf5File(Hdf5File&& other) noexcept;
  Hdf5File& operator=(Hdf5File&&) = delete;
  ~Hdf5File() override;

  bool Has(const std::string& path) const override;
  bool HasAttribute(const std::string& path, const std::string& name) const override;
  std::string Text(const std::string& path, const std::string& attribute) const override;
  std::vector<std::string> Texts(const std::string& path, const std::string& attribute) const override;
  Array Numbers(const std::string& path) const override;

 private:
  explicit Hdf5File(std::int64_t file) : file_(file) {}

  std::int64_t file_;
  mutable std::uint64_t numbers_read_ = 0;
};

/// Whether a file begins as HDF5 files do.
bool LooksLikeHdf5(std::string_view first_bytes);

}  // namespace unmask::keras
