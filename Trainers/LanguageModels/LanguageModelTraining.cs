using System.Security.Cryptography;
using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLExtensions.Heads;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training.Engine;
using MLExtensions.Training.Start;
using static TorchSharp.torch;

namespace MLExtensions.LanguageModels;

/// <summary>One training of a language model: puts text, network, step and loop together.</summary>
internal sealed class LanguageModelTraining(IHost host, LstmLanguageModelTrainer.Options options, int seed)
{
    public NetworkModelParameters Run(IDataView input, IDataView? validation)
    {
        options.CheckValidation(validation);
        using var channel = host.Start("Training");
        var session = new TrainingSession(host, channel, options, seed);
        session.CheckAlive();
        var device = session.OpenDevice();
        using var start = StartingWeights.Open(options);
        var tokenizer = start.Architecture is LanguageModelArchitecture { Tokenizer: var known }
            ? known
            : RowTexts.CreateTokenizer(options.Tokenization, input, options.TextColumnName, session.CheckAlive);
        // More than there are could never be drawn.
        if (options.SampledTokens > tokenizer.VocabularySize)
            throw new ArgumentException($"{nameof(options.SampledTokens)} is {options.SampledTokens}; the vocabulary has {tokenizer.VocabularySize} tokens. It must be at most that, or null for all of them.", nameof(options.SampledTokens));
        var architecture = options.CreateArchitecture(tokenizer);
        using var threads = TorchThreads.Use(options.ThreadCount ?? TorchThreads.CountFor(architecture.MultiplyAdds * options.BatchSize));
        start.Check(architecture);
        using var tokens = Read(input, tokenizer, session);
        using var validationTokens = validation == null ? null : Read(validation, tokenizer, session);
        var (training, held) = Split(tokens, validationTokens, device);
        channel.Info("{0} tokens to train on, {1} of them different", training.RowCount, tokenizer.VocabularySize);
        var network = (LanguageModelNetwork)start.CreateNetwork(architecture, seed, channel);
        using var step = new LanguageModelStep(network, options, seed, device);
        var history = session.Run(step, architecture, training, held, start.FileReport, Fingerprint(tokens));
        return new NetworkModelParameters(host, architecture, new LanguageHead(tokenizer.VocabularySize), step.Export(architecture), history);
    }

    private TokenStore Read(IDataView data, TextTokenizer tokenizer, TrainingSession session) =>
        RowTexts.Read(data, options.TextColumnName, tokenizer, options.Buffering, session.CheckAlive);

    private (TokenWindows Training, TokenWindows? Validation) Split(TokenStore tokens, TokenStore? validation, Device device)
    {
        var held = validation == null ? (long)(tokens.Count * options.ValidationFraction) : 0;
        var count = tokens.Count - held;
        if (count < 2)
            throw new ArgumentException($"The training text has {count} tokens, the end of each row among them; at least 2 are needed to predict one.");
        if (validation is { Count: < 2 } || (validation == null && options.ValidationFraction > 0 && held < 2))
            throw new ArgumentException($"The validation text has {validation?.Count ?? held} tokens; at least 2 are needed to predict one.");
        return (
            Windows(tokens, 0, count),
            validation != null ? Windows(validation, 0, validation.Count) : held > 0 ? Windows(tokens, count, held) : null);

        TokenWindows Windows(TokenStore store, long first, long length) => new(store, first, length, options.BatchSize, options.WindowLength, device);
    }

    private Dictionary<string, object?> Fingerprint(TokenStore tokens) => new()
    {
        [nameof(options.WindowLength)] = options.WindowLength,
        [nameof(options.SampledTokens)] = options.SampledTokens,
        [nameof(options.OutputPrecision)] = options.OutputPrecision,
        ["text of SHA-256"] = Checksum(tokens),
    };

    private static string Checksum(TokenStore tokens)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var part = new int[1 << 16];
        for (long at = 0; at < tokens.Count; at += part.Length)
        {
            var span = part.AsSpan(0, (int)Math.Min(part.Length, tokens.Count - at));
            tokens.Read(at, span);
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(span));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
