// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/progress_bar.hpp"
#include "unmask/analyzer.hpp"

namespace unmask {

/// Tells the bar how far one file got; when it goes, the file is through. `bar` and `name` must outlive it.
class FileProgress final : public ProgressSink {
 public:
  FileProgress(ProgressBar& bar, const std::string& name) : bar_(bar), name_(name) {}
  ~FileProgress() override { bar_.Advance(1 - done_, name_); }

  void OnProgress(double done) override {
    bar_.Advance(done - done_, name_);
    done_ = done;
  }

 private:
  ProgressBar& bar_;
  const std::string& name_;
  double done_ = 0;
};

}  // namespace unmask
