using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.NGrams;
using MLExtensions.Models;
using MLExtensions.Text;

[assembly: LoadableClass(typeof(KneserNeyTransformer), typeof(KneserNeyTransformer), null, typeof(SignatureLoadModel), "", KneserNeyTransformer.LoaderSignature)]

namespace MLExtensions;

/// <summary>
/// A language model that counts n-grams: adds to each row of text <c>LogProbability</c> (<c>Single</c>, natural logarithm), <c>Tokens</c>
/// (<c>Int32</c>, the predicted ones) and <c>Perplexity</c> (<c>Single</c>).
/// </summary>
/// <remarks>
/// Rows are independent texts: before each stands a token of its own. No libtorch is needed. Evaluate it with
/// <c>mlContext.LanguageModels.Evaluate(model.Transform(data))</c>.
/// </remarks>
public sealed class KneserNeyTransformer : ManagedTransformer
{
    internal const string LoaderSignature = "MLExtKneserNey";
    private const string ModelSignature = "MLEXTKNN";

    private readonly NGramContent _content;
    private bool _isToldOfUnknown;

    internal KneserNeyTransformer(IHostEnvironment env, NGramContent content, string textColumnName)
        : base(env, ModelSignature, LoaderSignature) => (_content, InputColumnName) = (content, textColumnName);

    /// <summary>The text column.</summary>
    public string InputColumnName { get; }

    /// <summary>What makes tokens of text.</summary>
    public TextTokenizer Tokenizer => _content.Tokenizer;

    /// <summary>The length of the longest n-grams.</summary>
    public int Order => _content.Table.Order;

    /// <summary>Whether the ends of rows and lines are predicted and counted.</summary>
    public bool PredictsLineEnds => _content.PredictsLineEnds;

    /// <summary>The number of different n-grams of each length that were met, from length 1.</summary>
    public IReadOnlyList<int> NGramCounts => [.. _content.Table.Levels.Select(level => level.Counts.Count(count => count > 0))];

    /// <summary>Returns the log probability of a text, a natural logarithm.</summary>
    /// <param name="text">The text, on its own.</param>
    /// <exception cref="FormatException">The text contains something that is not in the vocabulary, which has no unknown token.</exception>
    public double LogProbability(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return Score(Encode(text, 0)).LogProbability;
    }

    private protected override void SaveContent(ModelSaveContext ctx)
    {
        ctx.SaveNonEmptyString(InputColumnName);
        NGramFile.Save(ctx, _content);
    }

    private protected override IRowMapper CreateMapper(DataViewSchema schema) => new Mapper(this, schema);

    internal static KneserNeyTransformer Create(IHostEnvironment env, ModelLoadContext ctx)
    {
        ctx.CheckAtModel(ModelVersion.Of(ModelSignature, LoaderSignature));
        var column = ctx.LoadNonEmptyString();
        return new KneserNeyTransformer(env, NGramFile.Load(ctx), column);
    }

    /// <summary>The tokens of a text, with its end if that is predicted.</summary>
    internal List<int> Encode(ReadOnlySpan<char> text, long row)
    {
        var ids = new List<int>();
        TextColumn.Encode(Tokenizer, text, ids, InputColumnName, row);
        return ids;
    }

    /// <param name="ids">The tokens of a text, without its end, which is added if it is predicted.</param>
    /// <param name="levels">The longest n-grams that are used; null for the longest there are.</param>
    internal TextScore Score(List<int> ids, int? levels = null)
    {
        if (PredictsLineEnds)
            ids.Add(Tokenizer.EndOfSequenceId);
        var (logProbability, count) = _content.Table.Score(CollectionsMarshal.AsSpan(ids), PredictsLineEnds ? null : Tokenizer.EndOfSequenceId, levels);
        return new TextScore(logProbability, count);
    }

    /// <summary>Tells of the first rows with unknown tokens; the rows of a request would otherwise fill the log.</summary>
    private void WarnOnce(UnknownTokens unknown)
    {
        if (unknown.Any && !Interlocked.Exchange(ref _isToldOfUnknown, true))
            unknown.Warn(Host, $"the texts in column '{InputColumnName}'");
    }

    private sealed class Mapper : RowMapper
    {
        private readonly KneserNeyTransformer _model;
        private readonly DataViewSchema.Column _input;

        public Mapper(KneserNeyTransformer model, DataViewSchema schema)
            : base(model) => (_model, _input) = (model, TextColumn.Find(schema, model.InputColumnName));

        public override Func<int, bool> GetDependencies(Func<int, bool> activeOutput) => column => column == _input.Index && Enumerable.Range(0, LanguageModelColumns.All.Count).Any(activeOutput);

        public override DataViewSchema.DetachedColumn[] GetOutputColumns() => [.. LanguageModelColumns.All];

        public override Delegate?[] CreateGetters(DataViewRow row, Func<int, bool> activeOutput, out Action? disposer)
        {
            disposer = null;
            if (!Enumerable.Range(0, LanguageModelColumns.All.Count).Any(activeOutput))
                return new Delegate?[LanguageModelColumns.All.Count];
            var unknown = new UnknownTokens(_model.Tokenizer);
            disposer = () => _model.WarnOnce(unknown);
            var getText = row.GetGetter<ReadOnlyMemory<char>>(row.Schema[_input.Index]);
            var (text, score, position) = (default(ReadOnlyMemory<char>), default(TextScore), -1L);
            return
            [
                (ValueGetter<float>)((ref float value) => value = (float)Current().LogProbability),
                (ValueGetter<int>)((ref int value) => value = Current().Tokens),
                (ValueGetter<float>)((ref float value) => value = (float)Current().Perplexity),
            ];

            TextScore Current()
            {
                if (position == row.Position && position >= 0)
                    return score;
                getText(ref text);
                var ids = _model.Encode(text.Span, row.Position);
                unknown.Add(ids);
                score = _model.Score(ids);
                position = row.Position;
                return score;
            }
        }
    }
}
