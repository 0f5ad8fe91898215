// SPDX-License-Identifier: Apache-2.0
// Lists and extracts any bytes as an archive: names that are given out as files must lead nowhere else.

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/fd.hpp"
#include "evaluation/archive.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const unmask::UniqueFd file(::memfd_create("archive", MFD_CLOEXEC));
  if (::write(file.get(), data, size) != static_cast<ssize_t>(size)) std::abort();
  auto reader = unmask::ArchiveReader::Open("/proc/self/fd/" + std::to_string(file.get()));
  if (!reader) return 0;
  for (int entries = 0; entries < 100; ++entries) {
    const auto entry = reader->Next();
    if (!entry || !*entry) return 0;
    if ((*entry)->kind != unmask::ArchiveEntryKind::kFile) continue;
    const std::string& name = (*entry)->name;
    if (name.empty() || name.front() == '/' || name == ".." || name.starts_with("../") ||
        name.ends_with("/..") || name.find("/../") != std::string::npos)
      std::abort();
    const auto content = reader->Extract("/tmp", 1 << 16);
    if (content && content->size() > (1 << 16)) std::abort();
  }
  return 0;
}
