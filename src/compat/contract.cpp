// SPDX-License-Identifier: Apache-2.0
#include "compat/contract.hpp"

#include <fmt/format.h>

#include "compat/mesonet/mesonet.hpp"
#include "compat/microservice/microservice.hpp"
#include "compat/predict/predict.hpp"
#include "compat/web_upload/web_upload.hpp"

namespace unmask::compat {
namespace {

struct Row {
  Contract contract;
  std::string_view name;
  std::string_view address;  // of the original's development server or container
};

constexpr Row kTable[] = {
    {Contract::kMicroserviceV1, "microservice-v1", "0.0.0.0:5000"},
    {Contract::kMicroserviceV2, "microservice-v2", "0.0.0.0:8080"},
    {Contract::kWebUpload, "web-upload", "127.0.0.1:5000"},
    {Contract::kMesonetApi, "mesonet-api", "0.0.0.0:8000"},
    {Contract::kPredictApi, "predict-api", "0.0.0.0:8000"},
};

const Row& Find(Contract contract) { return kTable[static_cast<std::size_t>(contract)]; }

}  // namespace

std::string_view ContractName(Contract contract) { return Find(contract).name; }
std::string_view OriginalAddress(Contract contract) { return Find(contract).address; }

Result<Contract> ParseContract(std::string_view name) {
  std::string known;
  for (const Row& row : kTable) {
    if (row.name == name) return row.contract;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Fail(ErrorCode::kBadRequest, fmt::format("expected one of {}, found '{}'", known, name));
}

ServedContract MakeContract(const ContractContext& context) {
  switch (context.contract) {
    case Contract::kMicroserviceV1:
    case Contract::kMicroserviceV2:
      return {MakeMicroservice(context), {}};
    case Contract::kWebUpload:
      return {MakeWebUpload(context), {}};
    case Contract::kMesonetApi:
      return MakeMesonetApi(context);
    case Contract::kPredictApi:
      return {MakePredictApi(context), {}};
  }
  return {};
}

}  // namespace unmask::compat
