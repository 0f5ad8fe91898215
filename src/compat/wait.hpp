// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "api/service.hpp"
#include "compat/contract.hpp"
#include "http/handler.hpp"

namespace unmask::compat {

/// How one analysis becomes one answer.
struct AnswerPlan {
  AnalysisService::Job job;  ///< its analyzer and retention are filled in
  std::function<http::Response(const AnalysisRecord&, const Report&)> render;
  std::function<http::Response(const Error&)> fault;  ///< also when no more analyses are taken
};

/// Submits the job and answers when it has ended, however long that takes; no thread waits. When the client
/// goes away before, its analysis is cancelled.
void AnswerByAnalysis(const ContractContext& context, const http::RequestPtr& request,
                      http::Responder responder, AnswerPlan plan);

}  // namespace unmask::compat
