// SPDX-License-Identifier: Apache-2.0
#include "model/keras/zip_file.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "model/keras/hdf5_file.hpp"

namespace unmask::keras {
namespace {

constexpr std::size_t kBlock = 256 << 10;
constexpr std::uint64_t kMaxWeights = std::uint64_t{4} << 30;
constexpr std::uint64_t kMostUnpacked = 16;                        // times the archive's bytes
constexpr std::uint64_t kSmallWeights = std::uint64_t{256} << 20;  // may unpack from anything
constexpr int kMaxMembers = 10'000;

struct FreeArchive {
  void operator()(::archive* p) const { ::archive_read_free(p); }
};

class Zip {
 public:
  explicit Zip(const std::filesystem::path& file) : reader_(::archive_read_new()) {
    ::archive_read_support_format_zip_seekable(reader_.get());
    if (::archive_read_open_filename(reader_.get(), file.c_str(), kBlock) != ARCHIVE_OK) Complain();
  }

  /// The next member's name; empty at the end.
  std::string Next() {
    ::archive_entry* entry = nullptr;
    const int status = ::archive_read_next_header(reader_.get(), &entry);
    if (status == ARCHIVE_EOF) return {};
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) Complain();
    if (++members_ > kMaxMembers)
      throw BadFile(fmt::format("the archive has more than {} members", kMaxMembers));
    const char* name = ::archive_entry_pathname(entry);
    return name == nullptr || *name == '\0' ? "?" : name;
  }

  /// Hands the member's bytes out in pieces.
  template <typename Sink>
  void Read(const Sink& sink) {
    std::vector<char> block(kBlock);
    for (;;) {
      const la_ssize_t n = ::archive_read_data(reader_.get(), block.data(), block.size());
      if (n == 0) return;
      if (n < 0) Complain();
      sink(std::span<const char>(block.data(), static_cast<std::size_t>(n)));
    }
  }

 private:
  [[noreturn]] void Complain() const {
    const char* why = ::archive_error_string(reader_.get());
    throw BadFile(fmt::format("it is no complete ZIP archive: {}", why == nullptr ? "unknown error" : why),
                  "save or download the file again");
  }

  std::unique_ptr<::archive, FreeArchive> reader_;
  int members_ = 0;
};

PrivateFile ReadWeights(Zip& zip, std::uint64_t archive_bytes) {
  const std::uint64_t most = std::min(kMaxWeights, kSmallWeights + kMostUnpacked * archive_bytes);
  auto file = PrivateFile::InMemory();
  if (!file) throw BadFile(file.error().message, file.error().hint);
  zip.Read([&](std::span<const char> piece) {
    if (file->size() + piece.size() > most)
      throw BadFile(fmt::format("model.weights.h5 unpacks to more than {} bytes (of an archive of {})", most,
                                archive_bytes));
    if (const auto written = file->Append(piece); !written)
      throw BadFile(written.error().message, "free some memory");
  });
  return std::move(*file);
}

}  // namespace

ZipParts UnpackKeras(const std::filesystem::path& file) {
  Zip zip(file);
  ZipParts parts;
  for (std::string name = zip.Next(); !name.empty(); name = zip.Next()) {
    if (name == "config.json" || name == "metadata.json") {
      std::string text;
      zip.Read([&](std::span<const char> piece) {
        if (text.size() + piece.size() > Hdf5File::kMaxText)
          throw BadFile(fmt::format("{} has more than {} bytes", name, Hdf5File::kMaxText));
        text.append(piece.data(), piece.size());
      });
      parts.texts[name] = std::move(text);
    } else if (name == "model.weights.h5" && parts.weights.empty()) {
      parts.weights.push_back(ReadWeights(zip, std::filesystem::file_size(file)));
    }
  }
  return parts;
}

bool LooksLikeZip(std::string_view first_bytes) { return first_bytes.starts_with("PK\x03\x04"); }

}  // namespace unmask::keras
