// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "cli/scan.hpp"
#include "render/outcome.hpp"
#include "render/table.hpp"

namespace unmask {

/// Turns the outcomes of a run into text, piece by piece: what Begin(), each Add() and End() return, one
/// after the other, is the whole output. Pure; not thread-safe.
class ResultFormat {
 public:
  virtual ~ResultFormat() = default;
  virtual std::string Begin() { return {}; }
  virtual std::string Add(Outcome outcome) = 0;
  virtual std::string End() { return {}; }
};

struct ResultFormatOptions {
  bool faces = false;
  TableStyle table;
};

std::unique_ptr<ResultFormat> MakeResultFormat(ScanFormat format, const ResultFormatOptions& options);

}  // namespace unmask
