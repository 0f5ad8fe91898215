// SPDX-License-Identifier: Apache-2.0
#include "evaluation/sample_files.hpp"

#include <atomic>
#include <thread>

#include "base/thread_pool.hpp"

namespace unmask {

SampleFiles::SampleFiles(std::span<const Sample> samples, std::filesystem::path folder,
                         std::uint64_t max_bytes)
    : samples_(samples), folder_(std::move(folder)), max_bytes_(max_bytes) {}

std::vector<SampleFiles::Item> SampleFiles::Take(std::size_t count) {
  const std::lock_guard lock(mutex_);
  std::vector<Item> items;
  for (; items.size() < count && next_ < samples_.size(); ++next_)
    items.push_back({next_, Open(samples_[next_])});
  return items;
}

void SampleFiles::ForEach(int jobs, const std::stop_token& stop,
                          const std::function<bool(const Item&)>& work) {
  std::atomic<bool> ended = false;
  std::vector<std::jthread> threads;
  for (int i = 0; i < ThreadsFor(jobs); ++i)
    threads.emplace_back([&] {
      while (!stop.stop_requested() && !ended) {
        const auto items = Take(1);
        if (items.empty()) return;
        if (!work(items.front())) ended = true;
      }
    });
}

Result<SampleFile> SampleFiles::Open(const Sample& sample) {
  if (sample.member.empty()) return SampleFile(sample.file);
  return FromArchive(sample);
}

Result<SampleFile> SampleFiles::FromArchive(const Sample& sample) {
  const bool first =
      !archive_ || archive_path_ != sample.file || (next_ > 0 && samples_[next_ - 1].file != sample.file);
  if (first) {
    auto opened = ArchiveReader::Open(sample.file);
    if (!opened) return tl::unexpected(opened.error());
    archive_.emplace(std::move(*opened));
    archive_path_ = sample.file;
  }
  for (;;) {
    auto entry = archive_->Next();
    if (!entry) return tl::unexpected(entry.error());
    if (!*entry) return Fail(ErrorCode::kUnreadable, "is no longer in the archive");
    if ((*entry)->name != sample.member || (*entry)->kind != ArchiveEntryKind::kFile) continue;
    auto copy = archive_->Extract(folder_, max_bytes_);
    if (!copy) return tl::unexpected(copy.error());
    return SampleFile(std::move(*copy));
  }
}

}  // namespace unmask
