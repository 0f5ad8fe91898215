// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "serving/fake_network.hpp"
#include "serving/kserve.hpp"
#include "serving/tf_serving.hpp"

namespace unmask::serving {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTwo = "[[[1,2,3],[4,5,6]],[[0,0,0],[0,0,1]]]";

TEST(ServedNetwork, ComputesInBatchesThatTheNetworkTakes) {
  const std::vector<float> values{1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0, 0, 0};
  for (const std::size_t batch : {0U, 1U, 2U, 5U}) {
    const auto outputs = FakeServed(1, batch)->Predict(values, 3);
    ASSERT_TRUE(outputs) << batch;
    EXPECT_THAT(outputs->at(0).shape, ElementsAre(3, 1));
    EXPECT_THAT(outputs->at(0).values, ElementsAre(21, 1, 9)) << batch;
    EXPECT_THAT(outputs->at(1).shape, ElementsAre(3, 2, 3));
    EXPECT_EQ(outputs->at(1).values[17], 0);
  }
}

TEST(ServedNetwork, RefusesToGiveWhatIsNotFinite) {
  const auto outputs = FakeServed()->Predict(std::vector<float>{666, 0, 0, 0, 0, 0}, 1);
  ASSERT_FALSE(outputs);
  EXPECT_EQ(outputs.error().code, ErrorCode::kInternal);
}

Result<TfPredict> Read(const std::string& body) { return ReadTfPredict(body, FakeServed()->input(), 4); }

std::string TfRefusal(const std::string& body) {
  const auto read = Read(body);
  return read ? "taken" : read.error().message;
}

TEST(TfServingFormat, ReadsRowsAndColumnsAndNames) {
  const std::string two = kTwo;
  for (const std::string& body :
       {"{\"instances\": " + two + "}",
        "{\"signature_name\": \"serving_default\", \"instances\": " + two + "}",
        std::string(R"({"instances": [{"image": [[1,2,3],[4,5,6]]}, {"image": [[0,0,0],[0,0,1]]}]})"),
        "{\"inputs\": " + two + "}", "{\"inputs\": {\"image\": " + two + "}, \"other\": [1]}"}) {
    const auto read = Read(body);
    ASSERT_TRUE(read) << body << read.error().message;
    EXPECT_EQ(read->count, 2U);
    EXPECT_EQ(read->rows, body.find("inputs") == std::string::npos);
    EXPECT_THAT(read->values, ElementsAre(1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 1));
  }
}

TEST(TfServingFormat, RefusesInTheServersWords) {
  EXPECT_THAT(TfRefusal(""), HasSubstr("JSON Parse error: The document is empty"));
  EXPECT_THAT(TfRefusal("{\"instances\": [NaN]}"), HasSubstr("JSON Parse error"));
  EXPECT_THAT(TfRefusal("[1]"), HasSubstr("Is not object"));
  EXPECT_THAT(TfRefusal("{}"), HasSubstr("Missing 'inputs' or 'instances' key"));
  EXPECT_THAT(TfRefusal(R"({"instances": [1], "inputs": [1]})"), HasSubstr("only one of"));
  EXPECT_THAT(TfRefusal(R"({"instances": 3})"), HasSubstr("to be an list/array"));
  EXPECT_THAT(TfRefusal(R"({"instances": []})"), HasSubstr("No values in 'instances'"));
  EXPECT_THAT(TfRefusal(R"({"instances": [[1,2,3]]})"), HasSubstr("has the shape [1,3] (expected [n,2,3])"));
  EXPECT_THAT(TfRefusal(R"({"instances": [{"b64": "AA=="}]})"), HasSubstr("keys must be equal to: image"));
  EXPECT_THAT(TfRefusal(R"({"instances": [{"image": [1]}]})"), HasSubstr("Failed to process element: 0"));
  EXPECT_THAT(TfRefusal(R"({"instances": ["a"]})"), HasSubstr("neither a list of numbers nor an object"));
  EXPECT_THAT(TfRefusal(R"({"inputs": {"x": [1]}})"), HasSubstr("Missing named input: image"));
  EXPECT_THAT(TfRefusal(R"({"inputs": "x"})"), HasSubstr("not of expected type: float"));
  EXPECT_THAT(TfRefusal(R"({"signature_name": 1, "instances": [1]})"), HasSubstr("must be a string"));
  EXPECT_THAT(TfRefusal(R"({"signature_name": "x", "instances": [1]})"),
              HasSubstr("\"x\" not found in signature"));
  std::string five = "[[1,2,3],[4,5,6]]";
  for (int i = 0; i < 4; ++i) five += ",[[1,2,3],[4,5,6]]";
  EXPECT_THAT(TfRefusal("{\"instances\": [" + five + "]}"), HasSubstr("at most 4"));
}

TEST(TfServingFormat, WritesPredictions) {
  const auto network = FakeServed();
  auto question = Read(std::string("{\"instances\": ") + kTwo + "}").value();
  const auto outputs = network->Predict(question.values, question.count).value();
  EXPECT_EQ(json::parse(WriteTfPredictions(question, outputs)),
            json::parse(R"({"predictions": [{"sum": [21], "twice": [[2,4,6],[8,10,12]]},
                                            {"sum": [1], "twice": [[0,0,0],[0,0,2]]}]})"));
  EXPECT_EQ(json::parse(WriteTfPredictions(question, {outputs[0]})),
            json::parse(R"({"predictions": [[21],[1]]})"));
  question.rows = false;
  EXPECT_EQ(json::parse(WriteTfPredictions(question, {outputs[0]})),
            json::parse(R"({"outputs": [[21],[1]]})"));
  EXPECT_EQ(json::parse(WriteTfPredictions(question, outputs))["outputs"]["sum"], json::parse("[[21],[1]]"));
}

TEST(TfServingFormat, DescribesTheModel) {
  const auto network = FakeServed(7);
  const auto metadata = json::parse(WriteTfMetadata(*network));
  EXPECT_EQ(metadata["model_spec"]["version"], "7");
  const auto& signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"];
  EXPECT_EQ(signature["inputs"]["image"]["dtype"], "DT_FLOAT");
  EXPECT_EQ(signature["inputs"]["image"]["tensor_shape"]["dim"][2]["size"], "3");
  EXPECT_TRUE(signature["outputs"].contains("twice"));
}

TEST(TfServingFormat, TellsTheStateOfEachVersion) {
  const auto told = json::parse(WriteTfStatus(
      {{.version = 1, .state = VersionState::kAvailable},
       {.version = 2, .state = VersionState::kLoading},
       {.version = 3, .error = Error{ErrorCode::kInternal, "face.bin has another sha256", "", ""}}}));
  EXPECT_EQ(told, json::parse(R"({"model_version_status": [
      {"version": "3", "state": "END",
       "status": {"error_code": "INTERNAL", "error_message": "face.bin has another sha256"}},
      {"version": "2", "state": "LOADING", "status": {"error_code": "OK", "error_message": ""}},
      {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]})"));
}

std::string Bytes(const std::vector<float>& values) {
  std::string bytes(values.size() * 4, '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

Result<KserveQuestion> Ask(const std::string& body, const std::string& length = "") {
  return ReadKserveQuestion(body, length.empty() ? nullptr : &length, *FakeServed(), 4);
}

std::string Refusal(const std::string& body, const std::string& length = "") {
  const auto question = Ask(body, length);
  return question ? "taken" : question.error().message;
}

std::string Input(const std::string& members) { return "{\"inputs\": [{" + members + "}]}"; }

constexpr const char* kOne = R"("name": "image", "datatype": "FP32", "shape": [1,2,3])";
const std::vector<float> kSix{1, 2, 3, 4, 5, 6};

TEST(KserveFormat, ReadsFlatAndNestedAndBinaryValues) {
  const std::string flat = Input(std::string(kOne) + ", \"data\": [1,2,3,4,5,6]");
  const std::string nested = Input(std::string(kOne) + ", \"data\": [[[1,2,3],[4,5,6]]]");
  const std::string binary = Input(std::string(kOne) + ", \"parameters\": {\"binary_data_size\": 24}");
  for (const auto& question : {Ask(flat), Ask(nested), Ask(flat, std::to_string(flat.size())),
                               Ask(binary + Bytes(kSix), std::to_string(binary.size()))}) {
    ASSERT_TRUE(question) << question.error().message;
    EXPECT_EQ(question->values, kSix);
    EXPECT_EQ(question->count, 1U);
    EXPECT_EQ(question->wanted.size(), 2U);
    EXPECT_FALSE(question->wanted[0].binary);
  }
}

TEST(KserveFormat, RefusesWhatDoesNotFit) {
  const std::string data = ", \"data\": [1,2,3,4,5,6]";
  EXPECT_THAT(Refusal("nonsense"), HasSubstr("not JSON"));
  EXPECT_THAT(Refusal("[]"), HasSubstr("JSON object"));
  EXPECT_THAT(Refusal("{}"), HasSubstr("'inputs' with 1 input"));
  EXPECT_THAT(Refusal("{\"inputs\": [{}, {}]}"), HasSubstr("'inputs' with 1 input"));
  EXPECT_THAT(Refusal(Input(R"("name": "x")")), HasSubstr("unexpected inference input 'x'"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP16", "shape": [1,2,3])" + data)),
              HasSubstr("data-type is 'FP16', but model 'fake' expects 'FP32'"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [1,3,2])" + data)),
              HasSubstr("Expected [-1,2,3], got [1,3,2]"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [0,2,3])" + data)),
              HasSubstr("Expected"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [5,2,3])" + data)),
              HasSubstr("too large (at most 4)"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [1e18,2,3])" + data)),
              HasSubstr("dimension"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [-1,2,3])" + data)),
              HasSubstr("dimension -1"));
  EXPECT_THAT(Refusal(Input(R"("name": "image", "datatype": "FP32", "shape": [1.5,2,3])" + data)),
              HasSubstr("dimension 1.5"));
  EXPECT_THAT(Refusal(Input(std::string(kOne) + ", \"data\": [1]")), HasSubstr("'data' has 1 values"));
  EXPECT_THAT(Refusal(Input(std::string(kOne) + ", \"data\": [[1,2],[3,4],[5,6]]")),
              HasSubstr("nested as [3,2]"));
  EXPECT_THAT(Refusal(Input(kOne)), HasSubstr("expected the input's values"));
  EXPECT_THAT(Refusal(Input(std::string(kOne) + R"(, "parameters": {"shared_memory_region": "x"})")),
              HasSubstr("not supported"));
  const std::string asked = Input(std::string(kOne) + data);
  EXPECT_THAT(Refusal("{\"outputs\": [{\"name\": \"x\"}], " + asked.substr(1)),
              HasSubstr("unexpected inference output"));
  EXPECT_THAT(Refusal("{\"id\": 7, " + asked.substr(1)), HasSubstr("'id'"));
}

TEST(KserveFormat, RefusesBinariesThatDoNotFit) {
  const std::string head = Input(std::string(kOne) + ", \"parameters\": {\"binary_data_size\": 24}");
  const std::string length = std::to_string(head.size());
  EXPECT_THAT(Refusal(head + Bytes(kSix).substr(1), length), HasSubstr("23 bytes follow"));
  EXPECT_THAT(Refusal(head + Bytes(kSix) + "x", length), HasSubstr("25 bytes follow"));
  EXPECT_THAT(Refusal(head, "999999"), HasSubstr("is 999999, but the body has"));
  EXPECT_THAT(Refusal(head, "99999999999999999999999"), HasSubstr("expected a number of bytes"));
  EXPECT_THAT(Refusal(head, "-1"), HasSubstr("expected a number of bytes"));
  EXPECT_THAT(Refusal(head, "0"), HasSubstr("without JSON"));
  EXPECT_THAT(Refusal(head + Bytes(kSix), std::to_string(head.size() - 1)), HasSubstr("not JSON"));
  EXPECT_THAT(Refusal(Input(std::string(kOne) + ", \"data\": [1,2,3,4,5,6]") + "abcd",
                      std::to_string(Input(std::string(kOne) + ", \"data\": [1,2,3,4,5,6]").size())),
              HasSubstr("no input has 'binary_data_size'"));
  const std::string wrong = Input(std::string(kOne) + ", \"parameters\": {\"binary_data_size\": 20}");
  EXPECT_THAT(Refusal(wrong + Bytes(kSix), std::to_string(wrong.size())), HasSubstr("expected 24"));
  auto values = kSix;
  values[3] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Refusal(head + Bytes(values), length), HasSubstr("not finite"));
}

TEST(KserveFormat, WritesJsonAndBinaryOutputs) {
  const auto network = FakeServed();
  const std::string asked = Input(std::string(kOne) + ", \"data\": [1,2,3,4,5,6]").substr(1);
  const auto question =
      Ask(R"({"id": "q\"1", "outputs": [{"name": "twice", "parameters": {"binary_data": true}}, {"name": "sum"}], )" +
          asked)
          .value();
  const auto outputs = network->Predict(question.values, question.count).value();
  const auto answer = WriteKserveAnswer(question, outputs, network->card());
  ASSERT_TRUE(answer.header_length);
  const auto head = json::parse(answer.body.substr(0, *answer.header_length));
  EXPECT_EQ(head, json::parse(R"({"id": "q\"1", "model_name": "fake", "model_version": "1", "outputs": [
      {"name": "twice", "datatype": "FP32", "shape": [1,2,3], "parameters": {"binary_data_size": 24}},
      {"name": "sum", "datatype": "FP32", "shape": [1,1], "data": [21]}]})"));
  EXPECT_EQ(answer.body.substr(*answer.header_length), Bytes({2, 4, 6, 8, 10, 12}));

  const auto plain = WriteKserveAnswer(Ask("{" + asked).value(), outputs, network->card());
  EXPECT_FALSE(plain.header_length);
  EXPECT_EQ(json::parse(plain.body)["outputs"][1]["data"].size(), 6U);
}

TEST(KserveFormat, NamesTheVersionsThatCanBeAsked) {
  const auto told =
      json::parse(WriteKserveMetadata(*FakeServed(2), {{.version = 1},
                                                       {.version = 2, .state = VersionState::kAvailable},
                                                       {.version = 3, .state = VersionState::kLoading}}));
  EXPECT_EQ(told["versions"], json::parse(R"(["2"])"));
  EXPECT_EQ(told["inputs"][0]["shape"], json::parse("[-1,2,3]"));
}

}  // namespace
}  // namespace unmask::serving
