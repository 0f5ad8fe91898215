// SPDX-License-Identifier: Apache-2.0
#include "cli/options.hpp"

#include <array>
#include <limits>
#include <memory>
#include <tuple>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "cli/arguments.hpp"
#include "http/origin_gate.hpp"
#include "model/remote/engine_choice.hpp"
#include "model/versions.hpp"

namespace unmask {
namespace {

constexpr auto kAnalysis = "Analysis";
constexpr auto kSet = "Data set";
constexpr auto kFaces = "Which faces";
constexpr auto kCrops = "Crops";
constexpr auto kResults = "Results";
constexpr auto kMachine = "Model and machine";
constexpr auto kLimits = "Limits";
constexpr auto kServing = "The network itself, for other programs (docs/serving.md)";
constexpr auto kCanary = "When a canary is taken back (docs/rollout.md)";
constexpr auto kContracts = "Services that unmask stands in for (docs/compat.md)";

/// An option whose text is read by `parse`; its error becomes CLI11's.
template <typename Target, typename Parse>
CLI::Option* Add(CLI::App& app, const std::string& flags, Target& target, const std::string& help,
                 const std::string& type, const std::string& standard, Parse parse) {
  auto* option = app.add_option_function<std::string>(
      flags, [&target, parse](const std::string& text) { target = static_cast<Target>(*parse(text)); }, help);
  option->check([parse](const std::string& text) {
    const auto value = parse(text);
    return value ? std::string() : value.error().message;
  });
  option->type_name(type);
  if (!standard.empty()) option->default_str(standard);
  return option;
}

CLI::Option* AddNumber(CLI::App& app, const std::string& flags, double& target, double least, double most,
                       const std::string& help) {
  return Add(app, flags, target, help, "NUMBER", fmt::format("{}", target),
             [=](const std::string& text) { return ParseNumber(text, least, most); });
}

CLI::Option* AddWhole(CLI::App& app, const std::string& flags, int& target, std::int64_t least,
                      std::int64_t most, const std::string& help, const std::string& standard = "") {
  return Add(app, flags, target, help, "N", standard.empty() ? fmt::format("{}", target) : standard,
             [=](const std::string& text) { return ParseWhole(text, least, most); });
}

CLI::Option* AddPath(CLI::App& app, const std::string& flags, std::filesystem::path& target,
                     const std::string& help, const std::string& type) {
  return Add(app, flags, target, help, type, "", [](const std::string& text) -> Result<std::string> {
    if (text.empty()) return Fail(ErrorCode::kBadRequest, "expected a path, found nothing");
    return text;
  });
}

/// An option that may be repeated; each text is read by `parse`.
template <typename Item, typename Parse>
CLI::Option* AddList(CLI::App& app, const std::string& flags, std::vector<Item>& target,
                     const std::string& help, const std::string& type, Parse parse) {
  auto* option = app.add_option_function<std::vector<std::string>>(
      flags,
      [&target, parse](const std::vector<std::string>& texts) {
        target.clear();
        for (const std::string& text : texts) target.push_back(*parse(text));
      },
      help);
  option->check([parse](const std::string& text) {
    const auto value = parse(text);
    return value ? std::string() : value.error().message;
  });
  return option->type_name(type)->delimiter(',')->allow_extra_args(false);
}

template <typename Enum>
auto OneOf(std::vector<std::pair<std::string, Enum>> words) {
  return [words = std::move(words)](const std::string& text) -> Result<Enum> {
    std::string known;
    for (const auto& [word, value] : words) {
      if (word == text) return value;
      known += (known.empty() ? "" : ", ") + word;
    }
    return Fail(ErrorCode::kBadRequest, fmt::format("expected one of {}, found '{}'", known, text));
  };
}

/// "0.91,0.62"
Result<Thresholds> ParseThresholds(const std::string& text) {
  const std::size_t comma = std::min(text.find(','), text.size());
  const auto manipulated = ParseNumber(std::string_view(text).substr(0, comma), -1e9, 1e9);
  const auto clear =
      comma == text.size() ? manipulated : ParseNumber(std::string_view(text).substr(comma + 1), -1e9, 1e9);
  if (!manipulated || !clear || *clear > *manipulated)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("expected two numbers, the larger first, such as 0.9,0.6, found '{}'", text));
  return Thresholds{.manipulated = *manipulated, .clear = *clear};
}

void AddModels(CLI::App& app, std::filesystem::path& models) {
  AddPath(app, "--models", models, "The model repository (default: the one that came with the program)",
          "DIR")
      ->group(kMachine);
}

/// Which frames of a video are looked at. `sampling`: AnalysisOptions or SamplePlan.
template <typename Sampling>
void AddSampling(CLI::App& app, Sampling& sampling, const char* group) {
  AddNumber(app, "--fps", sampling.fps, 0.01, 60,
            "Frames of a video to look at each second; raise it for manipulations shorter than a second")
      ->group(group);
  AddWhole(app, "--max-frames", sampling.max_frames, 1, 4096,
           "The most frames of one video; a longer one is sampled more thinly over its whole length")
      ->group(group);
  app.add_flag_callback(
         "--keyframes", [&sampling] { sampling.mode = SampleMode::kKeyframes; },
         "Look at key frames only: several times cheaper, for triage (--fps is then not used)")
      ->group(group);
}

void AddNoStability(CLI::App& app, AnalysisOptions& analysis) {
  app.add_flag_callback(
         "--no-stability", [&analysis] { analysis.stability = false; },
         "Do not score the most telling faces again under mild re-encodings")
      ->group(kAnalysis);
}

/// What decodes media and finds faces in them.
void AddFinding(CLI::App& app, AnalyzerConfig& config) {
  AddWhole(app, "--threads", config.threads, 0, 1024, "Threads of the network",
           "one for each core, at most one for each file")
      ->group(kMachine);
  AddPath(app, "--yunet", config.yunet, "Find faces with this YuNet network instead of BlazeFace",
          "FILE.onnx")
      ->group(kMachine);
  AddPath(app, "--detectors", config.detectors,
          "The face detectors' files (default: those that came with the program)", "DIR")
      ->group(kMachine);
  AddPath(app, "--decoder", config.decoder,
          "The program unmask-decoder (default: the one beside this program)", "FILE")
      ->group(kMachine);
  app.add_option(
         "--cache", config.cache,
         "Where compiled networks are kept, so that the next start is quicker; \"\" keeps none (default: "
         "~/.cache/unmask)")
      ->type_name("DIR")
      ->group(kMachine);
  AddNumber(app, "--decode-timeout", config.decode_timeout, 1, 86400,
            "Seconds of wall clock that decoding one file may take")
      ->group(kMachine);
}

void AddEngines(CLI::App& app, std::vector<EngineChoice>& engines) {
  AddList(app, "--engine", engines,
          "Let a model's network run elsewhere, whatever its card says: on a KServe v2 server such as Triton "
          "at http://HOST:PORT/v2/models/MODEL, or TensorFlow Serving (REST) at .../v1/models/MODEL "
          "(docs/engines.md). May be repeated",
          "NAME[:VERSION]=URL", ParseEngineChoice)
      ->group(kMachine);
}

void AddAnalyzer(CLI::App& app, AnalyzerConfig& config) {
  app.add_option("--model", config.model,
                 "The model that judges; the name alone: its stable version, without labels the newest one")
      ->type_name("NAME[:VERSION|@LABEL]")
      ->capture_default_str()
      ->group(kMachine);
  AddModels(app, config.models);
  app.add_option("--device", config.device,
                 "Where the network runs: CPU, GPU (Intel), ... as OpenVINO calls it")
      ->type_name("DEVICE")
      ->capture_default_str()
      ->group(kMachine);
  AddEngines(app, config.engines);
  AddFinding(app, config);
}

void DeclareContracts(CLI::App& app, compat::ContractOptions& contracts) {
  AddList(app, "--contract", contracts.listeners,
          "Serve one of them at the root of a listener of its own: microservice-v1, microservice-v2, "
          "web-upload, mesonet-api or predict-api; without an address where the original listens. All are "
          "under /compat/NAME/ of the main listener, too. May be repeated",
          "NAME[=ADDR:PORT]", compat::ParseContractListener)
      ->group(kContracts);
  AddList(app, "--contract-engine", contracts.engines,
          "What answers: native (unmask's own faces and model) or faithful (the original's steps on an "
          "imported model); may be repeated",
          "NAME=ENGINE", compat::ParseContractEngine)
      ->group(kContracts);
  AddList(app, "--contract-model", contracts.models,
          "The model that a faithful engine runs: the original's own file; may be repeated", "NAME=PATH",
          compat::ParseContractModel)
      ->group(kContracts);
  AddPath(app, "--env-file", contracts.env_file,
          "The originals' settings (PORT, THRESHOLD, ...) where the environment has none; ./.env with "
          "--contract",
          "FILE")
      ->group(kContracts);
  Add(app, "--redis", contracts.redis,
      "Count web-upload's requests in this Redis, which several servers may share (default: in this process)",
      "URL", "", [](const std::string& text) { return compat::ParseRedisUrl(text); })
      ->group(kContracts);
  using Down = compat::RateLimiter::Down;
  Add(app, "--redis-down", contracts.redis_down,
      "What happens to requests while Redis does not answer: allow or deny", "WORD", "allow",
      OneOf<Down>({{"allow", Down::kAllow}, {"deny", Down::kDeny}}))
      ->group(kContracts);
  AddList(app, "--trusted-proxy", contracts.trusted_proxies,
          "A proxy or network of proxies whose X-Forwarded-For names the client; may be repeated", "CIDR",
          compat::ParseCidr)
      ->group(kContracts);
  app.add_flag("--strict", contracts.strict,
               "Answer faults of a server behind predict-api with 503, not with the original's 400")
      ->group(kContracts);
}

Result<std::string> ParseAddress(const std::string& text) {
  if (text.rfind(':') != std::string::npos) return text;
  return Fail(ErrorCode::kBadRequest, fmt::format("expected ADDR:PORT, found '{}'", text));
}

void DeclareServing(CLI::App& app, serving::ServingOptions& serving) {
  AddList(app, "--tf-serving", serving.tf_serving,
          "Answer as TensorFlow Serving's REST interface does, on a listener of its own; may be repeated",
          "ADDR:PORT", ParseAddress)
      ->group(kServing);
  AddList(app, "--kserve", serving.kserve,
          "Answer KServe's protocol v2 (Triton's HTTP interface), on a listener of its own; may be repeated",
          "ADDR:PORT", ParseAddress)
      ->group(kServing);
  AddList(app, "--serve-model", serving.models,
          "A model that they offer; may be repeated (default: the one that judges)", "NAME[:VERSION]",
          [](const std::string& text) -> Result<std::string> {
            if (text.empty()) return Fail(ErrorCode::kBadRequest, "expected a model's name, found nothing");
            return text;
          })
      ->group(kServing);
  AddWhole(app, "--serve-max-batch", serving.limits.max_batch, 1, 4096, "Instances of one request")
      ->group(kServing);
  Add(app, "--serve-max-body", serving.limits.max_body, "Bytes of one request; K, M and G are understood",
      "BYTES", "64M", ParseBytes)
      ->group(kServing);
  AddWhole(app, "--serve-queue", serving.limits.max_queue, 1, 100'000,
           "Requests that may wait; one more is answered 503")
      ->group(kServing);
}

/// Which of the labelled files are wanted, and what more is known of them.
void AddDataset(CLI::App& app, DatasetRequest& data) {
  app.add_option("--split", data.split, "Only files of this split")->type_name("NAME");
  Add(app, "--label", data.label, "The label of files that have none: real or fake", "LABEL", "",
      OneOf<bool>({{"real", false}, {"fake", true}}));
  AddPath(app, "--list", data.list,
          "A CSV that names the wanted files (column path, file or id) and may say their label, split, group "
          "and cluster",
          "FILE.csv");
  app.add_option("--cluster-column", data.cluster_column,
                 "The column whose equal values mark files of one origin, which intervals keep together")
      ->type_name("NAME")
      ->capture_default_str();
  AddWhole(app, "--limit", data.limit, 1, 100'000'000, "The most files, evenly spread over both classes",
           "all");
}

}  // namespace

void DeclareScan(CLI::App& app, ScanCommand& command) {
  app.add_option("PATH", command.paths,
                 "Pictures and videos, and folders (in depth; hidden files and documents are skipped)")
      ->configurable(false)
      ->type_name("");
  auto* format =
      Add(app, "--format", command.format,
          "table, json (one array), jsonl (one object a line), csv or html (a page that needs nothing else)",
          "FORMAT", "table on a terminal, else jsonl",
          OneOf<ScanFormat>({{"table", ScanFormat::kTable},
                             {"json", ScanFormat::kJson},
                             {"jsonl", ScanFormat::kJsonLines},
                             {"csv", ScanFormat::kCsv},
                             {"html", ScanFormat::kHtml}}));
  format->group(kResults);
  AddPath(app, "--output,-o", command.output,
          "Write there, all at once in the end, instead of to standard output", "FILE")
      ->group(kResults);
  app.add_flag("--faces", command.faces, "With every face, not only the tracks (json and jsonl)")
      ->group(kResults);
  AddPath(app, "--overlay", command.overlay,
          "Write annotated pictures into this folder: one for a still, one for each track of a video", "DIR")
      ->group(kResults);
  const auto verdict =
      OneOf<Verdict>({{"manipulated", Verdict::kManipulated}, {"inconclusive", Verdict::kInconclusive}});
  app.add_option_function<std::vector<std::string>>(
         "--fail-on",
         [&command, verdict](const std::vector<std::string>& words) {
           command.fail_on.clear();
           for (const std::string& word : words) command.fail_on.push_back(*verdict(word));
         },
         "Exit with 1 if any file has this verdict: manipulated or inconclusive; may be repeated")
      ->check([verdict](const std::string& word) {
        const auto value = verdict(word);
        return value ? std::string() : value.error().message;
      })
      ->type_name("VERDICT")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(kResults);

  AddSampling(app, command.analysis, kAnalysis);
  AddNoStability(app, command.analysis);
  AddWhole(app, "--jobs,-j", command.jobs, 1, 1024, "Files that are analysed at once", "one for each core")
      ->group(kMachine);
  AddAnalyzer(app, command.analyzer);
}

void DeclareServe(CLI::App& app, ServeCommand& command) {
  ServeOptions& options = command.options;
  app.add_option("--listen", options.listen,
                 "Where to accept connections; [::1]:8080 for IPv6, port 0 for a free one")
      ->type_name("ADDR:PORT")
      ->capture_default_str();
  AddList(
      app, "--allow-origin", options.allow_origins,
      "A foreign site whose pages may use this server and read its answers, e.g. https://example.org, or * "
      "for all; a contract's own listener lets in what the original did. May be repeated",
      "ORIGIN", http::ParseOrigin);
  AddList(app, "--allow-host", options.allow_hosts,
          "A name under which this server may be addressed, besides localhost and IP addresses; * for all. "
          "Checked when given, or when it listens on a loopback address. May be repeated",
          "NAME", http::ParseHostName);
  AddPath(app, "--data", options.data,
          "Folder for uploads while they are analysed (default: the system's temporary folder)", "DIR");
  AddPath(app, "--feedback", options.feedback,
          "Keep what people say of analyses in this folder, with faces when they agree, to learn from "
          "(docs/learning.md; default: feedback is refused)",
          "DIR");
  AddPath(app, "--web", options.web, "The page's files (default: those that came with the program)", "DIR");
  AddPath(app, "--swagger-ui", options.swagger_ui,
          "swagger-ui-bundle.js and swagger-ui.css, for /docs (default: those that came with the program)",
          "DIR");
  AddNumber(app, "--retention", options.retention, 1, 2592000, "Seconds that a finished analysis is kept");
  AddWhole(app, "--retention-count", options.retention_count, 1, 10'000'000,
           "Finished analyses that are kept");

  Add(app, "--max-upload", options.max_upload_bytes, "Bytes of one upload; K, M and G are understood",
      "BYTES", "2G", ParseBytes)
      ->group(kLimits);
  Add(app, "--feedback-bytes", options.feedback_bytes,
      "Bytes of the folder of --feedback, beyond which more is refused; K, M and G are understood", "BYTES",
      "1G", ParseBytes)
      ->group(kLimits);
  AddWhole(app, "--jobs,-j", options.jobs, 1, 1024, "Analyses that run at once", "one for each core")
      ->group(kLimits);
  AddWhole(app, "--max-queue", options.max_queue, 0, 1'000'000,
           "Analyses that may wait; one more is answered 503")
      ->group(kLimits);
  AddWhole(app, "--max-connections", options.max_connections, 1, 1'000'000,
           "Connections at once; one more is answered 503")
      ->group(kLimits);
  AddNumber(app, "--max-wait", options.max_wait, 0, 3600, "Seconds, the most that ?wait= may ask for")
      ->group(kLimits);
  AddNumber(app, "--header-timeout", options.header_timeout, 0.1, 3600,
            "Seconds in which a request's header must arrive")
      ->group(kLimits);
  AddNumber(app, "--progress-timeout", options.progress_timeout, 0.1, 3600,
            "Seconds without a byte before a client is given up")
      ->group(kLimits);
  AddNumber(app, "--keep-alive-timeout", options.keep_alive_timeout, 0.1, 3600,
            "Seconds that a connection may idle between requests")
      ->group(kLimits);
  AddNumber(app, "--routing-delay", options.routing_delay, 0, 600,
            "At shutdown, seconds between \"not ready\" and the end of accepting, for load balancers")
      ->group(kLimits);
  AddNumber(app, "--grace", options.grace, 0, 3600,
            "At shutdown, seconds that running analyses get to finish")
      ->group(kLimits);
  AddPath(app, "--admin-token-file", command.admin_token_file,
          "A file with the token that changing labels over HTTP takes, or its text in UNMASK_ADMIN_TOKEN "
          "(default: no changes over HTTP)",
          "FILE");
  app.add_flag("--require-gate", command.require_gate,
               "Over HTTP labels take a version only when 'unmask model gate' has let it pass");
  DeclareContracts(app, command.contracts);
  DeclareServing(app, command.serving);
  ModelWatch& watch = command.watch;
  Add(app, "--model-versions", watch.policy,
      "Versions of the model that are kept loaded beside the labelled ones: latest:N, all, or numbers such "
      "as "
      "1,4",
      "POLICY", VersionPolicyText(watch.policy), ParseVersionPolicy)
      ->group(kMachine);
  AddNumber(app, "--model-interval", watch.interval, 0.1, 86400,
            "Seconds between two looks at the model's folder for new versions and labels")
      ->group(kMachine);
  CanaryLimits& canary = watch.canary;
  app.add_flag_callback(
         "--no-automatic-rollback", [&canary] { canary.automatic = false; },
         "Only record how a canary does; never take it back")
      ->group(kCanary);
  AddWhole(app, "--canary-min-analyses", canary.min_analyses, 10, 500,
           "Analyses of each version before a canary is judged")
      ->group(kCanary);
  AddNumber(app, "--canary-max-errors", canary.max_errors, 0, 1,
            "Share of its analyses that may fail beyond those that fail on stable")
      ->group(kCanary);
  AddNumber(app, "--canary-max-latency", canary.max_latency, 1, 1000,
            "Its median seconds of an analysis over those of stable")
      ->group(kCanary);
  AddNumber(app, "--canary-max-shift", canary.max_shift, 0, 1,
            "Difference of its mean score from that of stable, when it is more than chance")
      ->group(kCanary);
  AddAnalyzer(app, command.analyzer);
}

void DeclareEvaluate(CLI::App& app, EvaluateCommand& command) {
  EvaluationRequest& request = command.request;
  DatasetRequest& data = request.data;
  app.add_option("--data,PATH", data.paths,
                 "Labelled files: a folder with real/ and fake/, a tar archive of SPLIT/LABEL/NAME, or a CSV "
                 "with the columns path and label (and group, cluster, split); several are one set")
      ->configurable(false)
      ->type_name("");
  Add(app, "--input", request.input,
      "media (faces are found in pictures and videos), crops (each picture is a face, cut out) or scores "
      "(CSV files of scores that any detector gave)",
      "KIND", "media",
      OneOf<EvaluationInput>({{"media", EvaluationInput::kMedia},
                              {"crops", EvaluationInput::kCrops},
                              {"scores", EvaluationInput::kScores}}));
  Add(app, "--crop-margin", request.crop_margin,
      "How far a crop reaches beyond the face box on each side, as a share of the box; negative for a tight "
      "one (default: the crop is taken whole)",
      "NUMBER", "", [](const std::string& text) { return ParseNumber(text, -0.49, 10); });
  AddDataset(app, data);
  app.add_option("--group-column", data.group_column, "The column by whose values figures are given")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_flag("--degrade", request.degrade,
               "Measure again under JPEG, H.264, scaling, blur and noise, and count the verdicts that flip");

  Add(app, "--thresholds", request.thresholds,
      "Other thresholds than the model's: from the first on a score is called manipulated, below the second "
      "nothing was found",
      "MANIPULATED,CLEAR", "", [](const std::string& text) { return ParseThresholds(text); });

  AddPath(app, "--json", command.json, "Write every figure and curve there", "FILE")->group(kResults);
  AddPath(app, "--html", command.html, "Write a page with plots there that needs nothing else", "FILE")
      ->group(kResults);
  AddPath(app, "--scores", command.scores, "Write the score and verdict of each file there", "FILE.csv")
      ->group(kResults);
  AddWhole(app, "--bootstrap", request.bootstrap_rounds, 0, 1'000'000,
           "Rounds of the bootstrap from which intervals come; 0: no intervals")
      ->group(kResults);

  AddSampling(app, request.analysis, kAnalysis);
  AddNoStability(app, request.analysis);
  AddWhole(app, "--jobs,-j", request.jobs, 1, 1024, "Files that are analysed at once", "one for each core")
      ->group(kMachine);
  AddAnalyzer(app, request.analyzer);
}

void DeclareDoctor(CLI::App& app, DoctorCommand& command) {
  bool& json = command.json;
  Add(app, "--format", json, "text or json", "FORMAT", "text",
      OneOf<bool>({{"text", false}, {"json", true}}));
  AddAnalyzer(app, command.analyzer);
}

void DeclareCompatCheck(CLI::App& app, CompatCheckCommand& command) {
  compat::CheckOptions& check = command.check;
  const auto parse_url = [](const std::string& text) -> Result<std::string> {
    if (text.starts_with("http://") || text.starts_with("https://")) return text;
    return Fail(ErrorCode::kBadRequest, fmt::format("expected http://HOST:PORT, found '{}'", text));
  };
  app.add_option("FILE", command.files, "Pictures or videos, as the service takes them")
      ->configurable(false)
      ->type_name("");
  app.add_option_function<std::string>(
         "--contract", [&check](const std::string& name) { check.contract = *compat::ParseContract(name); },
         "What kind of service it is: microservice-v1, microservice-v2, web-upload, mesonet-api or "
         "predict-api")
      ->check([](const std::string& name) {
        const auto contract = compat::ParseContract(name);
        return contract ? std::string() : contract.error().message;
      })
      ->type_name("NAME");
  Add(app, "--against", check.against, "The root of the old service", "URL", "", parse_url);
  Add(app, "--ours", check.ours,
      "The root of that contract at a running unmask, e.g. http://localhost:8080/compat/predict-api "
      "(default: a server of this process, which ends with it)",
      "URL", "", parse_url);
  using Transport = compat::CheckOptions::Transport;
  Add(app, "--transport", check.transport,
      "How a video goes to mesonet-api: http (POST /upload), or websocket or polling (Socket.IO)", "WORD",
      "http",
      OneOf<Transport>({{"http", Transport::kHttp},
                        {"websocket", Transport::kWebSocket},
                        {"polling", Transport::kPolling}}));
  app.add_flag("--json", command.json, "Print one JSON object");
  AddList(app, "--field", check.fields, "A further form field of every request; may be repeated",
          "NAME=VALUE", [](const std::string& text) -> Result<std::pair<std::string, std::string>> {
            const auto equals = text.find('=');
            if (equals != std::string::npos && equals > 0)
              return std::pair(text.substr(0, equals), text.substr(equals + 1));
            return Fail(ErrorCode::kBadRequest, fmt::format("expected NAME=VALUE, found '{}'", text));
          });
  app.add_option("--query", check.query, "The query of every request, e.g. fps=4")->type_name("TEXT");
  app.add_option("--token", check.token, "Sent as Authorization: Bearer TOKEN")->type_name("TOKEN");
  AddNumber(app, "--timeout", check.timeout, 0.1, 86400, "Seconds that a service may be silent");
  AddNumber(app, "--limit-wait", check.limit_wait, 0, 86400,
            "Seconds to wait when a service answers 429, before the file is sent again");
  Add(app, "--contract-engine", command.faithful,
      "What answers in a server of this process: native or faithful (the original's steps on an imported "
      "model)",
      "ENGINE", "native", OneOf<bool>({{"native", false}, {"faithful", true}}))
      ->group(kContracts);
  AddPath(app, "--contract-model", command.model,
          "The model that the faithful engine runs: the original's own file", "PATH")
      ->group(kContracts);
  AddPath(app, "--env-file", command.env_file, "The original's settings (THRESHOLD, ...)", "FILE")
      ->group(kContracts);
  AddAnalyzer(app, command.analyzer);
}

namespace {

/// "127.5" or "123.7,116.3,103.5"
Result<std::array<float, 3>> ParseChannels(const std::string& text, double least) {
  std::vector<float> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const auto number = ParseNumber(std::string_view(text).substr(begin, end - begin), least, 1e6);
    if (!number) return tl::unexpected(number.error());
    numbers.push_back(static_cast<float>(*number));
    begin = end + 1;
  }
  if (numbers.size() == 1) return std::array{numbers[0], numbers[0], numbers[0]};
  if (numbers.size() == 3) return std::array{numbers[0], numbers[1], numbers[2]};
  return Fail(ErrorCode::kBadRequest, fmt::format("expected one number or three, found '{}'", text));
}

/// "256", or width and height: "299x224"
Result<std::pair<int, int>> ParseSize(const std::string& text) {
  const std::size_t x = std::min(text.find('x'), text.size());
  const auto width = ParseWhole(std::string_view(text).substr(0, x), 16, 1024);
  const auto height = x == text.size() ? width : ParseWhole(std::string_view(text).substr(x + 1), 16, 1024);
  if (!width) return tl::unexpected(width.error());
  if (!height) return tl::unexpected(height.error());
  return std::pair(static_cast<int>(*width), static_cast<int>(*height));
}

void DeclareImport(CLI::App& app, ImportRequest& request) {
  app.add_option("FILE", request.file,
                 "ONNX, OpenVINO IR (.xml), TFLite, Keras .h5 or .keras, or a SavedModel's folder")
      ->configurable(false)
      ->type_name("");
  app.add_option("--name", request.name, "What the model is called")->type_name("NAME");
  AddWhole(app, "--version", request.version, 1, 1'000'000, "The new version (default: the next one)",
           "next");
  app.add_option("--arch", request.architecture,
                 "The network of a file of weights alone: meso4 or mesoinception4 (default: recognised)")
      ->type_name("NAME");
  app.add_option_function<std::string>(
         "--input-size",
         [&request](const std::string& text) { std::tie(request.width, request.height) = *ParseSize(text); },
         "Pixels of its input, when it takes any")
      ->check([](const std::string& text) {
        const auto size = ParseSize(text);
        return size ? std::string() : size.error().message;
      })
      ->type_name("N|WxH");
  Add(app, "--colour,--color", request.colour, "The order of its input's channels: rgb or bgr", "ORDER", "",
      OneOf<std::string>({{"rgb", "rgb"}, {"bgr", "bgr"}}));
  Add(app, "--scale", request.scale,
      "Its input is (x - mean) / scale for x in 0..255: 255 for 0..1; one number, or three in its order of "
      "channels",
      "S", "", [](const std::string& text) { return ParseChannels(text, 1e-6); });
  Add(app, "--mean", request.mean, "See --scale (default 0)", "M", "",
      [](const std::string& text) { return ParseChannels(text, -1e6); });
  Add(app, "--output", request.output,
      "What it gives: p_fake, p_real or logit (log odds of fake); of two classes the fake one: class:0 or "
      "class:1",
      "MEANING", "",
      OneOf<std::string>({{"p_fake", "p_fake"},
                          {"p_real", "p_real"},
                          {"logit", "logit"},
                          {"class:0", "class:0"},
                          {"class:1", "class:1"}}));
  Add(app, "--crop", request.crop, "Side of the square that it sees, as a multiple of the face box", "SIDE",
      "", [](const std::string& text) { return ParseNumber(text, 0.2, 9); });
  app.add_option("--description", request.description, "A sentence for people")->type_name("TEXT");
  AddWhole(app, "--time-limit", request.time_limit, 1, 3600, "Seconds that reading and compiling may take");
}

void DeclareEnsemble(CLI::App& app, EnsembleRequest& request) {
  DatasetRequest& data = request.data;
  app.add_option("NAME", request.name, "What the ensemble is called; it may be a model that is there")
      ->configurable(false)
      ->type_name("");
  AddList(app, "--members", request.members, "The models that judge together; may be repeated",
          "NAME[:VERSION],...", [](const std::string& text) -> Result<std::string> {
            if (text.empty()) return Fail(ErrorCode::kBadRequest, "expected a model's name, found nothing");
            return text;
          });
  AddWhole(app, "--version", request.version, 1, 1'000'000'000, "The number of the version", "next");
  app.add_option("--description", request.description, "A sentence for people")->type_name("TEXT");
  app.add_option(
         "--fit", data.paths,
         "Labelled faces, already cut out, to fit weights, calibration and thresholds on: folders, tar "
         "archives or CSVs as for `unmask evaluate --input crops` (default: the mean of the logits, "
         "not calibrated)")
      ->type_name("PATH");
  app.add_flag("--mean", request.mean, "With --fit: keep the mean of the logits, fit only what follows");
  Add(app, "--crop-margin", request.crop_margin,
      "How far a crop reaches beyond the face box on each side, as a share of the box (default: the crop is "
      "taken whole)",
      "NUMBER", "", [](const std::string& text) { return ParseNumber(text, -0.49, 10); });
  AddDataset(app, data);
  AddWhole(app, "--bootstrap", request.bootstrap_rounds, 0, 1'000'000,
           "Rounds of the bootstrap from which intervals come; 0: no intervals")
      ->group(kResults);
  AddWhole(app, "--jobs,-j", request.jobs, 1, 1024, "Faces that are scored at once", "one for each core")
      ->group(kMachine);
  app.add_option("--device", request.analyzer.device, "Where the networks run, as OpenVINO calls it")
      ->type_name("DEVICE")
      ->capture_default_str()
      ->group(kMachine);
  AddPath(app, "--decoder", request.analyzer.decoder,
          "The program unmask-decoder (default: the one beside this program)", "FILE")
      ->group(kMachine);
  app.add_option("--cache", request.analyzer.cache,
                 "Where compiled networks are kept; \"\" keeps none (default: ~/.cache/unmask)")
      ->type_name("DIR")
      ->group(kMachine);
}

}  // namespace

namespace {

void DeclareGate(CLI::App& app, ModelCommand& command) {
  app.parse_complete_callback([&command] { command.action = ModelCommand::Action::kGate; });
  EvaluationRequest& request = command.evaluation;
  app.add_option("NEW", command.name,
                 "NAME:VERSION, or the folder of a version that is not in the repository yet")
      ->configurable(false)
      ->type_name("");
  app.add_option("--against", command.against, "The version that answers now")
      ->type_name("NAME[:VERSION|@LABEL]")
      ->configurable(false);
  app.add_option(
         "--data", request.data.paths,
         "Labelled files that neither version was trained on, as 'unmask evaluate' takes them; several "
         "are one set")
      ->configurable(false)
      ->type_name("DIR|TAR|CSV");
  Add(app, "--input", request.input, "crops (each picture is a face, cut out) or media", "KIND", "crops",
      OneOf<EvaluationInput>({{"media", EvaluationInput::kMedia}, {"crops", EvaluationInput::kCrops}}));
  Add(app, "--crop-margin", request.crop_margin, "As of 'unmask evaluate'", "NUMBER", "",
      [](const std::string& text) { return ParseNumber(text, -0.49, 10); });
  app.add_option("--split", request.data.split, "Only files of this split")->type_name("NAME");
  AddPath(app, "--list", request.data.list, "As of 'unmask evaluate'", "FILE.csv");
  app.add_option("--group-column", request.data.group_column, "The column whose values are the groups")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--cluster-column", request.data.cluster_column,
                 "The column whose equal values mark files of one origin, drawn together")
      ->type_name("NAME")
      ->capture_default_str();
  AddWhole(app, "--bootstrap", command.gate.bootstrap_rounds, 100, 1'000'000,
           "Rounds of the paired bootstrap");
  Add(app, "--seed", command.gate.seed, "Of its draws", "N", "1",
      [](const std::string& text) { return ParseWhole(text, 0, std::numeric_limits<std::int64_t>::max()); });
  AddNumber(app, "--tolerance", command.gate.tolerance, 0, 1,
            "Loss of any figure that refuses nothing, e.g. 0.002 for a version that is faster");
  Add(app, "--least-files", command.gate.least_files,
      "Files of each class below which nothing is decided, and the version refused", "N", "100",
      [](const std::string& text) { return ParseWhole(text, 1, 1'000'000'000); });
  Add(app, "--format", command.json, "text or json", "FORMAT", "text",
      OneOf<bool>({{"text", false}, {"json", true}}));
  AddWhole(app, "--jobs,-j", request.jobs, 1, 1024, "Files that are measured at once", "one for each core");
  app.add_option("--device", request.analyzer.device, "Where the networks run, as OpenVINO calls it")
      ->type_name("DEVICE")
      ->capture_default_str()
      ->group(kMachine);
  AddModels(app, command.models);
  AddFinding(app, request.analyzer);
}

}  // namespace

void DeclareModel(CLI::App& app, ModelCommand& command) {
  app.require_subcommand(0, 1);
  DeclareGate(
      *app.add_subcommand("gate", "Measure a new version against the one that answers; refuse a worse one"),
      command);
  auto* list = app.add_subcommand("list", "All models of the repository, with their versions");
  list->parse_complete_callback([&command] { command.action = ModelCommand::Action::kList; });
  auto* show = app.add_subcommand("show", "What one model takes, gives, and cannot see");
  show->parse_complete_callback([&command] { command.action = ModelCommand::Action::kShow; });
  show->add_option("NAME", command.name, "NAME or NAME:VERSION; without a version the newest one")
      ->configurable(false)
      ->type_name("");
  auto* import = app.add_subcommand("import", "Make a version of the repository from a model file");
  import->parse_complete_callback([&command] { command.action = ModelCommand::Action::kImport; });
  DeclareImport(*import, command.request);
  auto* ensemble =
      app.add_subcommand("ensemble", "Let several models judge each face together (docs/ensemble.md)");
  ensemble->parse_complete_callback([&command] { command.action = ModelCommand::Action::kEnsemble; });
  DeclareEnsemble(*ensemble, command.ensemble);
  auto* verify = app.add_subcommand(
      "verify", "Check one version as a server does before it serves: hashes, loading, golden inputs");
  verify->parse_complete_callback([&command] { command.action = ModelCommand::Action::kVerify; });
  auto* golden =
      app.add_subcommand("golden", "Record what a version computes, for the check of every later load");
  golden->parse_complete_callback([&command] { command.action = ModelCommand::Action::kGolden; });
  for (CLI::App* loads : {verify, golden}) {
    loads->add_option("NAME", command.name, "NAME, NAME:VERSION or NAME@LABEL")
        ->configurable(false)
        ->type_name("");
    loads->add_option("--device", command.device, "Where the network runs, as OpenVINO calls it")
        ->type_name("DEVICE")
        ->capture_default_str();
    loads
        ->add_option("--cache", command.cache,
                     "Where compiled networks are kept; \"\" keeps none (default: ~/.cache/unmask)")
        ->type_name("DIR");
  }
  AddEngines(*verify, command.engines);
  using Action = ModelCommand::Action;
  struct Change {
    const char* name;
    const char* help;
    const char* names;
    Action action;
  };
  for (const auto& [name, help, names, action] :
       {Change{"promote", "Let the canary, or the version that is named, answer from now on (label stable)",
               "NAME or NAME:VERSION", Action::kPromote},
        Change{"rollback", "Take the canary back; without one, let the stable version before answer again",
               "NAME", Action::kRollback},
        Change{"route", "Send a share of the files to a newer version (label canary)", "NAME or NAME:VERSION",
               Action::kRoute},
        Change{"labels", "Which versions are stable and canary", "NAME", Action::kLabels},
        Change{"log", "Every change of the labels, and versions that could not be loaded", "NAME",
               Action::kLog}}) {
    auto* sub = app.add_subcommand(name, help);
    sub->parse_complete_callback([&command, chosen = action] { command.action = chosen; });
    sub->add_option("NAME", command.name, names)->configurable(false)->type_name("");
    sub->add_flag("--json", command.json, "Print JSON");
    if (action == Action::kPromote || action == Action::kRollback || action == Action::kRoute)
      sub->add_option("--reason", command.reason, "Why; kept in the log")
          ->type_name("TEXT")
          ->configurable(false);
    if (action == Action::kPromote || action == Action::kRoute)
      sub->add_flag("--require-gate", command.require_gate,
                    "Refuse a version that 'unmask model gate' has not let pass");
    if (action == Action::kRoute) {
      AddNumber(*sub, "--canary", command.canary, 0, 100,
                "Per cent of the files that meet the canary; the same files at every time")
          ->default_str("")
          ->configurable(false);
      sub->add_flag("--shadow", command.shadow,
                    "The canary judges them beside the stable version, and only metrics say what it found")
          ->configurable(false);
    }
    if (action == Action::kLog)
      AddWhole(*sub, "--limit", command.limit, 1, 100'000, "The newest so many events");
    AddModels(*sub, command.models);
  }
  list->add_flag("--json", command.json, "The models' own JSON");
  show->add_flag("--json", command.json, "The models' own JSON");
  verify->add_flag("--json", command.json, "Print one JSON object");
  for (CLI::App* action : {list, show, import, ensemble, verify, golden}) AddModels(*action, command.models);
}

namespace {

void DeclareExportFeedback(CLI::App& app, FacesCommand& command) {
  auto options = std::make_shared<ExportFeedbackCommand>();  // becomes the command when it was chosen
  app.parse_complete_callback([&command, options] { command.feedback = *options; });
  app.add_option("DIR", options->folder, "The folder that 'unmask serve --feedback' was given")
      ->configurable(false)
      ->type_name("");
  AddPath(app, "--output,--out,-o", options->output,
          "The set: a folder, or an archive when the name ends in .tar", "DIR|FILE.tar")
      ->group(kSet);
  app.add_flag("--overwrite", options->overwrite, "Replace the set that is there")->group(kSet);
  Add(app, "--split", options->labelling.splits,
      "Splits and their shares of the contents; one content never lies in two of them", "NAME=SHARE,...",
      "train=0.8,val=0.2", [](const std::string& text) { return ParseSplits(text); })
      ->group(kSet);
  Add(app, "--seed", options->labelling.seed, "Another seed divides the contents otherwise", "N", "0",
      [](const std::string& text) { return ParseWhole(text, 0, std::numeric_limits<std::int64_t>::max()); })
      ->group(kSet);
  app.add_option("--model", options->model,
                 "Faces that were cut as this model sees them are taken; without a version the newest")
      ->type_name("NAME[:VERSION]")
      ->capture_default_str()
      ->group(kMachine);
  AddModels(app, options->models);
}

}  // namespace

void DeclareFaces(CLI::App& app, FacesCommand& command) {
  app.require_subcommand(0, 1);
  DeclareExportFeedback(
      *app.add_subcommand("export-feedback", "Make a data set of the faces that people labelled"), command);
  auto& extract = *app.add_subcommand("extract", "Cut faces out of pictures and videos into a data set");
  CutOptions& cut = command.cut;
  Labelling& labelling = command.labelling;
  extract
      .add_option("PATH", command.paths,
                  "Pictures and videos, and folders (in depth; hidden files and documents are skipped)")
      ->configurable(false)
      ->type_name("");

  AddPath(extract, "--output,-o", command.output,
          "The set: a folder, or an archive when the name ends in .tar", "DIR|FILE.tar")
      ->group(kSet);
  extract.add_flag("--resume", command.resume, "Go on with an unfinished set, or add to a folder")
      ->group(kSet);
  extract.add_flag("--overwrite", command.overwrite, "Replace the set that is there")->group(kSet);
  Add(extract, "--label", labelling.label,
      "The label of all files: real or fake (default: the nearest folder of that name above a file)", "LABEL",
      "", OneOf<std::string>({{"real", "real"}, {"fake", "fake"}}))
      ->group(kSet);
  Add(extract, "--split", labelling.splits,
      "Splits and their shares of the groups; a group never lies in two of them", "NAME=SHARE,...", "all=1",
      [](const std::string& text) { return ParseSplits(text); })
      ->group(kSet);
  Add(extract, "--group-by", labelling.group_by,
      "What one group is: source (one file), folder (the files of a folder, such as one person) or name "
      "(files "
      "called alike in real/ and fake/); label folders do not count",
      "KIND", "source",
      OneOf<GroupBy>({{"source", GroupBy::kSource}, {"folder", GroupBy::kFolder}, {"name", GroupBy::kName}}))
      ->group(kSet);
  Add(extract, "--seed", labelling.seed, "Another seed divides the groups otherwise", "N", "0",
      [](const std::string& text) { return ParseWhole(text, 0, std::numeric_limits<std::int64_t>::max()); })
      ->group(kSet);

  AddSampling(extract, cut.sampling, kFaces);
  AddWhole(extract, "--max-per-track", cut.max_per_track, 1, 1'000'000,
           "The most faces of one person in one file: the best of as many stretches of time", "all")
      ->group(kFaces);
  AddNumber(extract, "--min-size", cut.min_size, 0, 16384,
            "Leave out faces whose box has a shorter side than this, in pixels")
      ->group(kFaces);
  const auto code = OneOf<std::string>({{"small", "small"},
                                        {"blurred", "blurred"},
                                        {"dark", "dark"},
                                        {"bright", "bright"},
                                        {"patterned", "patterned"},
                                        {"profile", "profile"}});
  extract
      .add_option_function<std::vector<std::string>>(
          "--skip",
          [&cut](const std::vector<std::string>& words) {
            cut.skip_codes = {words.begin(), words.end()};
          },
          "Leave out faces that are small, blurred, dark, bright, patterned or profile; several with commas")
      ->check([code](const std::string& word) {
        const auto value = code(word);
        return value ? std::string() : value.error().message;
      })
      ->type_name("CODE,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->group(kFaces);

  auto* like = extract.add_flag("--like-training", command.like_training,
                                "Cut the square that the model of --model sees (this is the default)");
  like->group(kCrops);
  Add(extract, "--margin", command.margin,
      "Instead cut a square that reaches so far beyond the face box on each side, as a share of the "
      "box's size",
      "NUMBER", "", [](const std::string& text) { return ParseNumber(text, -0.49, 10); })
      ->excludes(like)
      ->group(kCrops);
  AddWhole(extract, "--size", cut.size, 0, 4096,
           "Side of a saved crop in pixels: larger ones are reduced; 0 keeps each as it is")
      ->group(kCrops);
  extract
      .add_flag("--enlarge", cut.enlarge, "Enlarge smaller crops to --size, too; otherwise they stay small")
      ->group(kCrops);
  Add(extract, "--format", cut.format, "jpeg or png", "FORMAT", "jpeg",
      OneOf<CropFormat>({{"jpeg", CropFormat::kJpeg}, {"png", CropFormat::kPng}}))
      ->group(kCrops);
  AddWhole(extract, "--quality", cut.quality, 1, 100, "Of JPEG; its colour is kept whole (4:4:4)")
      ->group(kCrops);

  AddWhole(extract, "--jobs,-j", command.jobs, 1, 1024, "Files that are worked on at once",
           "one for each core")
      ->group(kMachine);
  extract
      .add_option("--model", command.analyzer.model,
                  "The model whose square is cut; without a version the newest")
      ->type_name("NAME[:VERSION]")
      ->capture_default_str()
      ->group(kMachine);
  AddModels(extract, command.analyzer.models);
  AddFinding(extract, command.analyzer);
}

}  // namespace unmask
