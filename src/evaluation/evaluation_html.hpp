// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "evaluation/evaluation.hpp"

namespace unmask {

/// One page with all figures and plots for people and printers: no script, nothing loaded from elsewhere (a
/// policy in the page forbids both), light or dark as the reader's system asks. Everything untrusted is
/// escaped; every plot has its numbers in words or a table. The same evaluation gives the same page.
std::string EvaluationHtml(const Evaluation& evaluation);

}  // namespace unmask
