// SPDX-License-Identifier: Apache-2.0
#include "cli/command_line.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/exit_code.hpp"

namespace unmask {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

CommandLine Parse(std::vector<std::string> arguments, const Variables& variables = {}) {
  return ParseCommandLine(std::move(arguments), [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

ScanCommand Scan(std::vector<std::string> arguments, const Variables& variables = {}) {
  arguments.insert(arguments.begin(), "scan");
  const CommandLine line = Parse(std::move(arguments), variables);
  const auto* scan = std::get_if<ScanCommand>(&line.command);
  if (scan == nullptr) {
    ADD_FAILURE() << std::get<Answer>(line.command).err;
    return {};
  }
  return *scan;
}

/// Of a line that makes no sense: what is said about it.
std::string Refusal(std::vector<std::string> arguments, const Variables& variables = {}) {
  const CommandLine line = Parse(std::move(arguments), variables);
  const auto* answer = std::get_if<Answer>(&line.command);
  if (answer == nullptr) return "accepted";
  EXPECT_EQ(answer->exit_code, kWrongUsage);
  EXPECT_EQ(answer->out, "");
  EXPECT_TRUE(answer->err.starts_with("error: ")) << answer->err;
  EXPECT_THAT(answer->err, HasSubstr("\nhint: "));
  EXPECT_EQ(std::count(answer->err.begin(), answer->err.end(), '\n'), 2) << answer->err;
  return answer->err;
}

class ConfigFile {
 public:
  explicit ConfigFile(const std::string& content) { std::ofstream(path_) << content; }
  ~ConfigFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_ = testing::TempDir() + "unmask-config-" + std::to_string(::getpid()) + ".toml";
};

TEST(CommandLine, HasDefaultsForAScan) {
  const ScanCommand scan = Scan({"a.mp4", "b"});
  EXPECT_EQ(scan.paths, (std::vector<std::string>{"a.mp4", "b"}));
  EXPECT_FALSE(scan.format);
  EXPECT_EQ(scan.analysis.fps, 2.0);
  EXPECT_EQ(scan.analysis.max_frames, 256);
  EXPECT_EQ(scan.analysis.mode, SampleMode::kFps);
  EXPECT_FALSE(scan.faces);
  EXPECT_TRUE(scan.output.empty() && scan.overlay.empty() && scan.fail_on.empty());
  EXPECT_EQ(scan.analyzer.model, "face");
  EXPECT_EQ(scan.analyzer.device, "CPU");
}

TEST(CommandLine, ReadsEveryOptionOfAScan) {
  const ScanCommand scan = Scan({"--format",
                                 "html",
                                 "--output",
                                 "o.html",
                                 "--fps",
                                 "4.5",
                                 "--max-frames",
                                 "12",
                                 "--keyframes",
                                 "--no-stability",
                                 "--faces",
                                 "--overlay",
                                 "dir",
                                 "--jobs",
                                 "3",
                                 "--model",
                                 "face:2",
                                 "--device",
                                 "GPU",
                                 "--yunet",
                                 "y.onnx",
                                 "--models",
                                 "m",
                                 "--detectors",
                                 "d",
                                 "--decoder",
                                 "dec",
                                 "--threads",
                                 "5",
                                 "--cache",
                                 "",
                                 "--decode-timeout",
                                 "9",
                                 "--fail-on",
                                 "manipulated",
                                 "--fail-on",
                                 "inconclusive",
                                 "a.mp4"});
  EXPECT_EQ(scan.format, ScanFormat::kHtml);
  EXPECT_EQ(scan.output, "o.html");
  EXPECT_EQ(scan.analysis.fps, 4.5);
  EXPECT_EQ(scan.analysis.max_frames, 12);
  EXPECT_FALSE(scan.analysis.stability);
  EXPECT_EQ(scan.analysis.mode, SampleMode::kKeyframes);
  EXPECT_TRUE(scan.faces);
  EXPECT_EQ(scan.overlay, "dir");
  EXPECT_EQ(scan.jobs, 3);
  EXPECT_EQ(scan.analyzer.model, "face:2");
  EXPECT_EQ(scan.analyzer.device, "GPU");
  EXPECT_EQ(scan.analyzer.yunet, "y.onnx");
  EXPECT_EQ(scan.analyzer.models, "m");
  EXPECT_EQ(scan.analyzer.detectors, "d");
  EXPECT_EQ(scan.analyzer.decoder, "dec");
  EXPECT_EQ(scan.analyzer.threads, 5);
  EXPECT_EQ(scan.analyzer.cache, std::filesystem::path());
  EXPECT_EQ(scan.analyzer.decode_timeout, 9);
  EXPECT_EQ(scan.fail_on, (std::vector<Verdict>{Verdict::kManipulated, Verdict::kInconclusive}));
  EXPECT_EQ(scan.paths, std::vector<std::string>{"a.mp4"});
}

TEST(CommandLine, KnowsEveryFormat) {
  const std::map<std::string, ScanFormat> formats = {{"table", ScanFormat::kTable},
                                                     {"json", ScanFormat::kJson},
                                                     {"jsonl", ScanFormat::kJsonLines},
                                                     {"csv", ScanFormat::kCsv},
                                                     {"html", ScanFormat::kHtml}};
  for (const auto& [word, format] : formats) EXPECT_EQ(Scan({"x", "--format=" + word}).format, format);
}

TEST(CommandLine, TakesPathsThatLookLikeOptionsOrCommands) {
  EXPECT_EQ(Scan({"--", "-x.mp4", "--fps"}).paths, (std::vector<std::string>{"-x.mp4", "--fps"}));
  EXPECT_EQ(Scan({"model", "serve", "scan"}).paths, (std::vector<std::string>{"model", "serve", "scan"}));
}

TEST(CommandLine, FailOnTakesOneVerdictAndLeavesThePaths) {
  EXPECT_EQ(Scan({"--fail-on", "manipulated", "a.mp4", "b.mp4"}).paths.size(), 2U);
  EXPECT_EQ(Scan({"--fail-on", "manipulated,inconclusive", "a.mp4"}).fail_on.size(), 2U);
  EXPECT_THAT(Refusal({"scan", "--fail-on", "no_manipulation_found", "x"}),
              HasSubstr("no_manipulation_found"));
}

TEST(CommandLine, ReadsServe) {
  const CommandLine line = Parse({"serve", "--listen",     "[::1]:0", "--data",
                                  "d",     "--max-upload", "64M",     "--jobs",
                                  "2",     "--max-queue",  "5",       "--max-connections",
                                  "7",     "--retention",  "60",      "--retention-count",
                                  "9",     "--grace",      "1.5",     "--web",
                                  "w",     "--model",      "face:1"});
  ASSERT_TRUE(std::holds_alternative<ServeCommand>(line.command)) << std::get<Answer>(line.command).err;
  const auto& serve = std::get<ServeCommand>(line.command);
  EXPECT_EQ(serve.options.listen, "[::1]:0");
  EXPECT_EQ(serve.options.data, "d");
  EXPECT_EQ(serve.options.max_upload_bytes, std::uint64_t{64} << 20);
  EXPECT_EQ(serve.options.jobs, 2);
  EXPECT_EQ(serve.options.max_queue, 5);
  EXPECT_EQ(serve.options.max_connections, 7);
  EXPECT_EQ(serve.options.retention, 60);
  EXPECT_EQ(serve.options.retention_count, 9);
  EXPECT_EQ(serve.options.grace, 1.5);
  EXPECT_EQ(serve.options.web, "w");
  EXPECT_EQ(serve.analyzer.model, "face:1");
}

TEST(CommandLine, ReadsWhatIsServedToOtherPrograms) {
  const auto line =
      Parse({"serve", "--tf-serving", "127.0.0.1:8501", "--kserve", "[::1]:8000", "--serve-model",
             "face:1,face:2", "--serve-max-batch", "9", "--serve-max-body", "1M", "--serve-queue", "3"});
  ASSERT_TRUE(std::holds_alternative<ServeCommand>(line.command)) << std::get<Answer>(line.command).err;
  const auto& serving = std::get<ServeCommand>(line.command).serving;
  EXPECT_EQ(serving.tf_serving, std::vector<std::string>{"127.0.0.1:8501"});
  EXPECT_EQ(serving.kserve, std::vector<std::string>{"[::1]:8000"});
  EXPECT_EQ(serving.models, (std::vector<std::string>{"face:1", "face:2"}));
  EXPECT_EQ(serving.limits.max_batch, 9);
  EXPECT_EQ(serving.limits.max_body, std::uint64_t{1} << 20);
  EXPECT_EQ(serving.limits.max_queue, 3);
  EXPECT_THAT(Refusal({"serve", "--kserve", "8000"}), HasSubstr("expected ADDR:PORT"));
}

TEST(CommandLine, ReadsContracts) {
  const auto read = [](std::vector<std::string> words, std::map<std::string, std::string> variables = {}) {
    words.insert(words.begin(), "serve");
    return std::get<ServeCommand>(Parse(words, std::move(variables)).command).contracts;
  };
  const auto contracts =
      read({"--contract", "microservice-v1=0.0.0.0:5000", "--contract", "web-upload", "--contract-engine",
            "microservice-v1=faithful", "--contract-model", "microservice-v1=/m.h5", "--redis",
            "redis://cache:7000/1", "--redis-down", "deny", "--trusted-proxy", "10.0.0.0/8,::1", "--strict"});
  ASSERT_EQ(contracts.listeners.size(), 2U);
  EXPECT_EQ(contracts.listeners[0].address, "0.0.0.0:5000");
  EXPECT_EQ(contracts.listeners[1].contract, compat::Contract::kWebUpload);
  EXPECT_TRUE(contracts.engines.at(0).faithful);
  EXPECT_EQ(contracts.models.at(0).path, "/m.h5");
  EXPECT_EQ(contracts.redis->port, 7000);
  EXPECT_EQ(contracts.redis_down, compat::RateLimiter::Down::kDeny);
  EXPECT_EQ(contracts.trusted_proxies.size(), 2U);
  EXPECT_TRUE(contracts.strict);
  EXPECT_EQ(read({}, {{"UNMASK_CONTRACT", "web-upload,predict-api=127.0.0.1:0"}}).listeners.size(), 2U);
  EXPECT_THAT(Refusal({"serve", "--contract", "mesonet=127.0.0.1:0"}), HasSubstr("mesonet-api"));
  EXPECT_THAT(Refusal({"serve", "--redis", "cache:6379"}), HasSubstr("redis://"));
  EXPECT_THAT(Refusal({"serve", "--trusted-proxy", "10.0.0.0/64"}), HasSubstr("10.0.0.0/8"));
}

TEST(CommandLine, ReadsWhatChangesLabels) {
  using Action = ModelCommand::Action;
  const auto read = [](std::vector<std::string> words) {
    words.insert(words.begin(), "model");
    return std::get<ModelCommand>(Parse(words).command);
  };
  EXPECT_EQ(read({"verify", "face:2"}).action, Action::kVerify);
  EXPECT_EQ(read({"golden", "face:2"}).action, Action::kGolden);
  EXPECT_EQ(read({"promote", "face", "--reason", "better"}).reason, "better");
  EXPECT_EQ(read({"rollback", "face"}).action, Action::kRollback);
  EXPECT_EQ(read({"labels", "face"}).action, Action::kLabels);
  EXPECT_EQ(read({"log", "face", "--limit", "3"}).limit, 3);
  const auto route = read({"route", "face:2", "--canary", "2.5", "--shadow"});
  EXPECT_EQ(route.action, Action::kRoute);
  EXPECT_EQ(route.name, "face:2");
  EXPECT_DOUBLE_EQ(route.canary, 2.5);
  EXPECT_TRUE(route.shadow);
}

TEST(CommandLine, WantsToKnowHowManyFilesMeetTheCanary) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"model", "route", "face"},
                                             {"model", "route", "face", "--canary", "101"},
                                             {"model", "route", "face", "--canary", "x"},
                                             {"model", "promote"},
                                             {"model", "log"}}) {
    const auto command = Parse(words).command;
    ASSERT_TRUE(std::holds_alternative<Answer>(command));
    EXPECT_EQ(std::get<Answer>(command).exit_code, kWrongUsage);
  }
}

TEST(CommandLine, ReadsHowAServerKeepsUpWithItsModel) {
  const auto serve = std::get<ServeCommand>(
      Parse({"serve", "--model-versions", "latest:2", "--model-interval", "0.5", "--canary-max-shift", "0.3",
             "--no-automatic-rollback", "--admin-token-file", "t"})
          .command);
  EXPECT_EQ(serve.watch.policy.latest, 2);
  EXPECT_DOUBLE_EQ(serve.watch.interval, 0.5);
  EXPECT_DOUBLE_EQ(serve.watch.canary.max_shift, 0.3);
  EXPECT_FALSE(serve.watch.canary.automatic);
  EXPECT_EQ(serve.admin_token_file, "t");
}

TEST(CommandLine, ReadsDoctorAndModel) {
  EXPECT_TRUE(std::get<DoctorCommand>(Parse({"doctor", "--format", "json"}).command).json);
  const auto list = std::get<ModelCommand>(Parse({"model", "list", "--models", "m"}).command);
  EXPECT_EQ(list.action, ModelCommand::Action::kList);
  EXPECT_EQ(list.models, "m");
  const auto show = std::get<ModelCommand>(Parse({"model", "show", "face:1", "--json"}).command);
  EXPECT_EQ(show.action, ModelCommand::Action::kShow);
  EXPECT_EQ(show.name, "face:1");
  EXPECT_TRUE(show.json);
}

TEST(CommandLine, AnswersHelpAndVersion) {
  const auto version = std::get<Answer>(Parse({"--version"}).command);
  EXPECT_EQ(version.exit_code, kAllDone);
  EXPECT_TRUE(version.out.starts_with("unmask "));
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"scan", "--help"},
                                                    {"serve", "-h"},
                                                    {"model", "show", "--help"}}) {
    const auto help = std::get<Answer>(Parse(arguments).command);
    EXPECT_EQ(help.exit_code, kAllDone);
    EXPECT_THAT(help.out, HasSubstr("Usage: unmask"));
    std::istringstream lines(help.out);
    for (std::string text; std::getline(lines, text);) EXPECT_LE(text.size(), 110U) << text;
  }
}

TEST(CommandLine, SaysWhatIsWrong) {
  EXPECT_THAT(Refusal({}), HasSubstr("no command"));
  EXPECT_THAT(Refusal({"scam"}), HasSubstr("did you mean 'unmask scan'?"));
  EXPECT_THAT(Refusal({"xyzzy"}), HasSubstr("scan, serve, evaluate, doctor, model"));
  EXPECT_THAT(Refusal({"scan"}), HasSubstr("no file or folder"));
  EXPECT_THAT(Refusal({"scan", "-"}), HasSubstr("standard input"));
  EXPECT_THAT(Refusal({"scan", "--fsp", "3", "x"}), HasSubstr("did you mean '--fps'?"));
  EXPECT_THAT(Refusal({"scan", "x", "--nonsense=3"}), HasSubstr("unknown option '--nonsense'"));
  EXPECT_THAT(Refusal({"scan", "x", "--fps"}), HasSubstr("--fps needs a value"));
  EXPECT_THAT(Refusal({"scan", "x", "--fps", "abc"}), HasSubstr("from 0.01 to 60, found 'abc'"));
  EXPECT_THAT(Refusal({"scan", "x", "--fps", "0"}), HasSubstr("found '0'"));
  EXPECT_THAT(Refusal({"scan", "x", "--fps", "nan"}), HasSubstr("found 'nan'"));
  EXPECT_THAT(Refusal({"scan", "x", "--fps", "-1"}), HasSubstr("found '-1'"));
  EXPECT_THAT(Refusal({"scan", "x", "--max-frames", "4097"}), HasSubstr("1 to 4096"));
  EXPECT_THAT(Refusal({"scan", "x", "--max-frames", "2.5"}), HasSubstr("whole number"));
  EXPECT_THAT(Refusal({"scan", "x", "--jobs", "99999999999999999999"}), HasSubstr("--jobs"));
  EXPECT_THAT(Refusal({"scan", "x", "--format", "pdf"}), HasSubstr("table, json, jsonl, csv, html"));
  EXPECT_THAT(Refusal({"serve", "--max-upload", "many"}), HasSubstr("512K, 64M or 2G"));
  EXPECT_THAT(Refusal({"serve", "extra"}), HasSubstr("unexpected argument 'extra'"));
  EXPECT_THAT(Refusal({"model"}), HasSubstr("list, show"));
  EXPECT_THAT(Refusal({"model", "shw"}), HasSubstr("did you mean 'unmask model show'?"));
  EXPECT_THAT(Refusal({"model", "show"}), HasSubstr("no model given"));
  EXPECT_THAT(Refusal({"--log-level", "loud", "scan", "x"}), HasSubstr("loud"));
  EXPECT_THAT(Refusal({"scan", "\x1b[31m--fps", "x", "--\x1b[0m"}), testing::Not(HasSubstr("\x1b")));
}

TEST(CommandLine, TakesOptionsOfAllCommandsOnBothSides) {
  EXPECT_EQ(Parse({"--log-level", "debug", "scan", "x"}).log_level, LogLevel::kDebug);
  EXPECT_EQ(Parse({"scan", "x", "--log-level", "off"}).log_level, LogLevel::kOff);
}

TEST(CommandLine, ReadsTheEnvironment) {
  const ScanCommand scan = Scan({"x"}, {{"UNMASK_FPS", "5"},
                                        {"UNMASK_MAX_FRAMES", "7"},
                                        {"UNMASK_KEYFRAMES", "true"},
                                        {"UNMASK_FACES", "0"},
                                        {"UNMASK_FORMAT", "csv"},
                                        {"UNMASK_FAIL_ON", "manipulated,inconclusive"},
                                        {"UNMASK_DEVICE", ""}});
  EXPECT_EQ(scan.analysis.fps, 5);
  EXPECT_EQ(scan.analysis.max_frames, 7);
  EXPECT_EQ(scan.analysis.mode, SampleMode::kKeyframes);
  EXPECT_FALSE(scan.faces);
  EXPECT_EQ(scan.format, ScanFormat::kCsv);
  EXPECT_EQ(scan.fail_on.size(), 2U);
  EXPECT_EQ(scan.analyzer.device, "CPU");
  EXPECT_EQ(Parse({"scan", "x"}, {{"UNMASK_LOG_LEVEL", "error"}}).log_level, LogLevel::kError);
}

TEST(CommandLine, NamesTheVariableThatIsWrong) {
  EXPECT_THAT(Refusal({"scan", "x"}, {{"UNMASK_FPS", "fast"}}), HasSubstr("UNMASK_FPS: expected a number"));
  EXPECT_THAT(Refusal({"scan", "x"}, {{"UNMASK_FACES", "perhaps"}}), HasSubstr("UNMASK_FACES"));
}

TEST(CommandLine, IgnoresVariablesOfOtherCommands) {
  EXPECT_TRUE(std::holds_alternative<DoctorCommand>(Parse({"doctor"}, {{"UNMASK_FPS", "fast"}}).command));
}

EvaluateCommand EvaluateOf(std::vector<std::string> arguments, const Variables& variables = {}) {
  arguments.insert(arguments.begin(), "evaluate");
  const CommandLine line = Parse(std::move(arguments), variables);
  const auto* evaluate = std::get_if<EvaluateCommand>(&line.command);
  if (evaluate == nullptr) {
    ADD_FAILURE() << std::get<Answer>(line.command).err;
    return {};
  }
  return *evaluate;
}

TEST(CommandLine, ReadsAnEvaluation) {
  const EvaluateCommand command = EvaluateOf({"--input",
                                              "crops",
                                              "--crop-margin",
                                              "-0.13",
                                              "--split",
                                              "val",
                                              "--list",
                                              "l.csv",
                                              "--cluster-column",
                                              "original",
                                              "--group-column",
                                              "source",
                                              "--limit",
                                              "100",
                                              "--degrade",
                                              "--label",
                                              "fake",
                                              "--thresholds",
                                              "0.9,0.5",
                                              "--json",
                                              "a",
                                              "--html",
                                              "b",
                                              "--scores",
                                              "c",
                                              "--bootstrap",
                                              "10",
                                              "1.tar",
                                              "2.tar"});
  const EvaluationRequest& request = command.request;
  EXPECT_EQ(request.input, EvaluationInput::kCrops);
  EXPECT_EQ(request.crop_margin, -0.13);
  EXPECT_EQ(request.data.split, "val");
  EXPECT_EQ(request.data.list, "l.csv");
  EXPECT_EQ(request.data.cluster_column, "original");
  EXPECT_EQ(request.data.group_column, "source");
  EXPECT_EQ(request.data.limit, 100);
  EXPECT_EQ(request.data.label, true);
  EXPECT_EQ(request.data.paths.size(), 2U);
  EXPECT_TRUE(request.degrade);
  EXPECT_EQ(request.thresholds->clear, 0.5);
  EXPECT_EQ(request.bootstrap_rounds, 10);
  EXPECT_EQ(command.json, "a");
  EXPECT_EQ(command.html, "b");
  EXPECT_EQ(command.scores, "c");
}

TEST(CommandLine, HasDefaultsForAnEvaluation) {
  const EvaluateCommand command = EvaluateOf({"--data", "folder"}, {{"UNMASK_DATA", "a server's folder"}});
  EXPECT_EQ(command.request.input, EvaluationInput::kMedia);
  EXPECT_FALSE(command.request.crop_margin);
  EXPECT_FALSE(command.request.thresholds);
  EXPECT_FALSE(command.request.degrade);
  EXPECT_EQ(command.request.bootstrap_rounds, 2000);
  ASSERT_EQ(command.request.data.paths.size(), 1U);
  EXPECT_EQ(command.request.data.paths[0], "folder");
}

TEST(CommandLine, RefusesAnEvaluationThatMakesNoSense) {
  EXPECT_THAT(Refusal({"evaluate"}), HasSubstr("no labelled files"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--crop-margin", "0.2"}), HasSubstr("--input crops"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--input", "crops", "--crop-margin", "-0.5"}), HasSubstr("-0.49"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--input", "scores", "--degrade"}), HasSubstr("--degrade"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--thresholds", "0.5,high"}), HasSubstr("the larger first"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--thresholds", "0.5,0.6"}), HasSubstr("the larger first"));
  EXPECT_THAT(Refusal({"evaluate", "x", "--label", "perhaps"}), HasSubstr("real, fake"));
}

TEST(CommandLine, ReadsAFile) {
  const ConfigFile file(
      "# what suits us\n"
      "max-frames = 64\n"
      "max_upload = \"1G\"\n"
      "device = \"GPU\"\n"
      "log-level = \"info\"\n"
      "[scan]\n"
      "fps = 3\n"
      "faces = true\n"
      "fail-on = [\"manipulated\", \"inconclusive\"]\n"
      "[serve]\n"
      "listen = \"127.0.0.1:9000\"\n");
  const CommandLine line = Parse({"scan", "x", "--config", file.path()});
  ASSERT_TRUE(std::holds_alternative<ScanCommand>(line.command)) << std::get<Answer>(line.command).err;
  const auto& scan = std::get<ScanCommand>(line.command);
  EXPECT_EQ(scan.analysis.max_frames, 64);
  EXPECT_EQ(scan.analysis.fps, 3);
  EXPECT_TRUE(scan.faces);
  EXPECT_EQ(scan.fail_on.size(), 2U);
  EXPECT_EQ(scan.analyzer.device, "GPU");
  EXPECT_EQ(line.log_level, LogLevel::kInfo);

  const auto serve = std::get<ServeCommand>(Parse({"--config", file.path(), "serve"}).command);
  EXPECT_EQ(serve.options.listen, "127.0.0.1:9000");
  EXPECT_EQ(serve.options.max_upload_bytes, std::uint64_t{1} << 30);
  EXPECT_EQ(serve.analyzer.device, "GPU");
}

TEST(CommandLine, CommandLineGoesBeforeEnvironmentBeforeFile) {
  const ConfigFile file("fps = 3\nmax-frames = 30\njobs = 3\n");
  const ScanCommand scan =
      Scan({"x", "--fps", "5", "--config", file.path()}, {{"UNMASK_FPS", "4"}, {"UNMASK_MAX_FRAMES", "40"}});
  EXPECT_EQ(scan.analysis.fps, 5);
  EXPECT_EQ(scan.analysis.max_frames, 40);
  EXPECT_EQ(scan.jobs, 3);
}

TEST(CommandLine, SaysWhatIsWrongInAFile) {
  EXPECT_THAT(Refusal({"scan", "x", "--config", "/no/such/file"}), HasSubstr("/no/such/file"));
  const ConfigFile unknown("fsp = 3\n");
  EXPECT_THAT(Refusal({"scan", "x", "--config", unknown.path()}), HasSubstr("unknown option fsp in"));
  const ConfigFile section("[scam]\nfps = 3\n");
  EXPECT_THAT(Refusal({"scan", "x", "--config", section.path()}), HasSubstr("unknown section [scam]"));
  const ConfigFile value("fps = fast\n");
  EXPECT_THAT(Refusal({"scan", "x", "--config", value.path()}), HasSubstr("expected a number"));
}

FacesCommand Faces(std::vector<std::string> arguments, const Variables& variables = {}) {
  arguments.insert(arguments.begin(), {"faces", "extract", "-o", "set"});
  const CommandLine line = Parse(std::move(arguments), variables);
  const auto* faces = std::get_if<FacesCommand>(&line.command);
  if (faces == nullptr) {
    ADD_FAILURE() << std::get<Answer>(line.command).err;
    return {};
  }
  return *faces;
}

TEST(CommandLine, HasDefaultsForAnExtraction) {
  const FacesCommand faces = Faces({"a.mp4", "b"});
  EXPECT_EQ(faces.paths, (std::vector<std::string>{"a.mp4", "b"}));
  EXPECT_EQ(faces.output, "set");
  EXPECT_FALSE(faces.resume || faces.overwrite || faces.margin);
  EXPECT_EQ(faces.cut.size, 224);
  EXPECT_EQ(faces.cut.quality, 95);
  EXPECT_EQ(faces.cut.sampling.fps, 2.0);
  EXPECT_EQ(faces.cut.max_per_track, 0);
  EXPECT_EQ(faces.labelling.group_by, GroupBy::kSource);
  ASSERT_EQ(faces.labelling.splits.size(), 1U);
  EXPECT_EQ(faces.labelling.splits[0].name, "all");
}

TEST(CommandLine, ReadsEveryOptionOfAnExtraction) {
  const FacesCommand faces = Faces({"--resume",
                                    "--label",
                                    "fake",
                                    "--split",
                                    "train=0.9,val=0.1",
                                    "--group-by",
                                    "name",
                                    "--seed",
                                    "7",
                                    "--fps",
                                    "5",
                                    "--max-frames",
                                    "9",
                                    "--keyframes",
                                    "--max-per-track",
                                    "3",
                                    "--min-size",
                                    "40",
                                    "--skip",
                                    "dark,small",
                                    "--margin",
                                    "0.25",
                                    "--size",
                                    "0",
                                    "--enlarge",
                                    "--format",
                                    "png",
                                    "--quality",
                                    "80",
                                    "--jobs",
                                    "2",
                                    "--model",
                                    "face:1",
                                    "x"});
  EXPECT_TRUE(faces.resume && faces.cut.enlarge);
  EXPECT_EQ(faces.labelling.label, "fake");
  EXPECT_EQ(faces.labelling.splits.at(1).name, "val");
  EXPECT_EQ(faces.labelling.group_by, GroupBy::kName);
  EXPECT_EQ(faces.labelling.seed, 7U);
  EXPECT_EQ(faces.cut.sampling.fps, 5.0);
  EXPECT_EQ(faces.cut.sampling.max_frames, 9);
  EXPECT_EQ(faces.cut.sampling.mode, SampleMode::kKeyframes);
  EXPECT_EQ(faces.cut.max_per_track, 3);
  EXPECT_EQ(faces.cut.min_size, 40.0);
  EXPECT_EQ(faces.cut.skip_codes, (std::set<std::string>{"dark", "small"}));
  EXPECT_EQ(faces.margin, 0.25);
  EXPECT_EQ(faces.cut.size, 0);
  EXPECT_EQ(faces.cut.format, CropFormat::kPng);
  EXPECT_EQ(faces.cut.quality, 80);
  EXPECT_EQ(faces.jobs, 2);
  EXPECT_EQ(faces.analyzer.model, "face:1");
}

TEST(CommandLine, ExtractionReadsEnvironmentAndConfiguration) {
  const ConfigFile config("[faces]\nsplit = \"a=0.5,b=0.5\"\nmargin = 0.5\n");
  const FacesCommand faces =
      Faces({"--config", config.path(), "x"}, {{"UNMASK_MARGIN", "0.3"}, {"UNMASK_SKIP", "blurred"}});
  EXPECT_EQ(faces.margin, 0.3) << "the environment goes before the file";
  EXPECT_EQ(faces.labelling.splits.size(), 2U);
  EXPECT_EQ(faces.cut.skip_codes, (std::set<std::string>{"blurred"}));
}

TEST(CommandLine, ExtractionRefusesWhatMakesNoSense) {
  EXPECT_THAT(Refusal({"faces"}), HasSubstr("'unmask faces' needs a command"));
  EXPECT_THAT(Refusal({"faces", "extrakt"}), HasSubstr("did you mean 'unmask faces extract'?"));
  EXPECT_THAT(Refusal({"faces", "extract", "x"}), HasSubstr("no output given"));
  EXPECT_THAT(Refusal({"faces", "extract", "-o", "set"}), HasSubstr("no file or folder"));
  EXPECT_THAT(Refusal({"faces", "extract", "-o", "s", "--margin", "-0.5", "x"}), HasSubstr("-0.49"));
  EXPECT_THAT(Refusal({"faces", "extract", "-o", "s", "--margin", "1", "--like-training", "x"}),
              HasSubstr("--like-training"));
}

TEST(CommandLine, CompatCheckTakesWhatARequestNeeds) {
  const auto line = Parse({"compat-check", "--contract", "predict-api", "--against", "http://old:8000",
                           "--ours", "http://new/compat/predict-api", "--field", "a=b=c", "--field",
                           "d=", "--query", "fps=4", "--token", "t", "--json", "x.mp4", "y.mp4"});
  const auto* check = std::get_if<CompatCheckCommand>(&line.command);
  ASSERT_NE(check, nullptr) << std::get<Answer>(line.command).err;
  EXPECT_EQ(check->check.contract, compat::Contract::kPredictApi);
  EXPECT_EQ(check->check.against, "http://old:8000");
  EXPECT_EQ(check->check.ours, "http://new/compat/predict-api");
  EXPECT_EQ(check->check.fields, (std::vector<std::pair<std::string, std::string>>{{"a", "b=c"}, {"d", ""}}));
  EXPECT_EQ(check->check.query, "fps=4");
  EXPECT_EQ(check->check.token, "t");
  EXPECT_TRUE(check->json);
  EXPECT_EQ(check->files, (std::vector<std::filesystem::path>{"x.mp4", "y.mp4"}));
}

TEST(CommandLine, CompatCheckRefusesWhatMakesNoSense) {
  const auto refusal = [](std::vector<std::string> rest) {
    rest.insert(rest.begin(), "compat-check");
    return Refusal(rest);
  };
  EXPECT_THAT(refusal({"--against", "http://o", "f"}), HasSubstr("no contract"));
  EXPECT_THAT(refusal({"--contract", "predict-api", "f"}), HasSubstr("--against"));
  EXPECT_THAT(refusal({"--contract", "predict-api", "--against", "http://o"}), HasSubstr("no file"));
  EXPECT_THAT(refusal({"--contract", "none", "--against", "http://o", "f"}), HasSubstr("mesonet-api"));
  EXPECT_THAT(refusal({"--contract", "predict-api", "--against", "old:80", "f"}), HasSubstr("http://HOST"));
  EXPECT_THAT(refusal({"--contract", "predict-api", "--against", "http://o", "--field", "=x", "f"}),
              HasSubstr("NAME=VALUE"));
  EXPECT_THAT(refusal({"--contract", "predict-api", "--against", "http://o", "--ours", "http://n",
                       "--contract-engine", "faithful", "f"}),
              HasSubstr("--ours"));
}

}  // namespace
}  // namespace unmask
