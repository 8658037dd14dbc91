using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Runtime;
using MLExtensions.Families.LanguageModels;
using MLExtensions.Families.NGrams;
using MLExtensions.Tensors;
using MLExtensions.Text;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>What Kneser-Ney smoothing takes from each count.</summary>
public enum KneserNeyDiscounts
{
    /// <summary>Three discounts for each length, for counts of 1, 2, and 3 or more, estimated from the counts (Chen and Goodman, 1998).</summary>
    Modified,

    /// <summary>One discount for each length, n1 / (n1 + 2 n2), where n1 n-grams were met once and n2 twice (Kneser and Ney, 1995).</summary>
    Single,

    /// <summary>0.75 everywhere.</summary>
    Fixed,
}

/// <summary>
/// Trains a language model that counts n-grams, with interpolated Kneser-Ney smoothing: what networks are compared with, and an independent
/// judge of texts that they write.
/// </summary>
/// <remarks>
/// <para>Trainer Characteristics</para>
/// <list type="table">
/// <item><term>Machine learning task</term><description>Language modeling (unsupervised)</description></item>
/// <item><term>Is normalization required?</term><description>No</description></item>
/// <item><term>Is caching required?</term><description>No: data is read twice, once for the vocabulary.</description></item>
/// <item><term>Required NuGet in addition to Microsoft.ML</term><description>MLExtensions, without libtorch</description></item>
/// <item><term>Exportable to ONNX</term><description>No</description></item>
/// </list>
/// <para>
/// Each row is a text of its own: before it stand <see cref="Options.Order"/> - 1 tokens that mark its beginning, after it the
/// end-of-sequence (EOS) token. Tokens that are not in the vocabulary are one token, unknown, which is predicted like any other. The counts of
/// the shortest n-grams are interpolated with a uniform distribution over all tokens of the vocabulary. The same data gives the same bits.
/// </para>
/// </remarks>
public sealed class KneserNeyEstimator : ManagedEstimator<KneserNeyTransformer>
{
    internal const double FixedDiscount = 0.75;
    internal const int DefaultOrder = 3;
    private const int LargestOrder = 10;

    private readonly Options _options;

    internal KneserNeyEstimator(IHostEnvironment env, Options options)
        : base(env, nameof(KneserNeyEstimator))
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options.Copy();
    }

    private protected override KneserNeyTransformer FitChecked(IDataView input)
    {
        using var channel = Host.Start("Training");
        var tokenizer = RowTexts.CreateTokenizer(_options.Tokenization, input, _options.TextColumnName, _options.CancellationToken.ThrowIfCancellationRequested);
        var counter = new NGramCounter(_options.Order, tokenizer.VocabularySize, _options.PredictLineEnds ? null : tokenizer.EndOfSequenceId);
        var counts = Count(input, tokenizer, counter);
        if (counts[DataCounts.Tokens] == 0)
            throw new ArgumentException($"Text column '{_options.TextColumnName}' has no tokens, so there is nothing to count.", nameof(input));
        if (TokenNotes.UnknownShare(counts, "training data") is { } note)
            channel.Info("{0}", note.Text);
        return new KneserNeyTransformer(Host, NGramFile.Content(tokenizer, _options.PredictLineEnds, counter.ToLevels(_options.Discounts)), _options.TextColumnName);
    }

    private protected override void CheckSchema(SchemaShape schema) => TextColumn.Check(schema, _options.TextColumnName);

    private protected override IEnumerable<SchemaShape.Column> AddedColumns(SchemaShape input) => LanguageModelColumns.All.Select(column => Added(column.Name, column.Type));

    private DataCounts Count(IDataView input, TextTokenizer tokenizer, NGramCounter counter)
    {
        var (counts, ids) = (new DataCounts(), new List<int>());
        RowTexts.ForEachRow(input, _options.TextColumnName, _options.CancellationToken.ThrowIfCancellationRequested, (text, _, row) =>
        {
            ids.Clear();
            TextColumn.Encode(tokenizer, text, ids, _options.TextColumnName, row);
            counts.Add(DataCounts.Tokens, _options.PredictLineEnds ? ids.Count : ids.Count(id => id != tokenizer.EndOfSequenceId));
            if (tokenizer.UnknownId is { } unknown)
                counts.Add(DataCounts.UnknownTokens, ids.Count(id => id == unknown));
            if (_options.PredictLineEnds)
                ids.Add(tokenizer.EndOfSequenceId);
            counter.Add(CollectionsMarshal.AsSpan(ids));
        });
        return counts;
    }

    /// <summary>The options of <see cref="KneserNeyEstimator"/>.</summary>
    public sealed class Options
    {
        /// <summary>The text column. Default <c>Text</c>.</summary>
        public string TextColumnName { get; set; } = "Text";

        /// <summary>How text is divided into tokens, and the vocabulary size. Default: the 10,000 most frequent words.</summary>
        public Tokenization Tokenization { get; set; } = Tokenization.Words();

        /// <summary>The length of the longest n-grams, from 1 to 10: a token depends on so many before it, less one. Default 3.</summary>
        public int Order { get; set; } = DefaultOrder;

        /// <summary>What is taken from each count. Default <see cref="KneserNeyDiscounts.Modified"/>.</summary>
        public KneserNeyDiscounts Discounts { get; set; }

        /// <summary>
        /// Whether the ends of rows, and of lines within rows, are predicted and counted. If false, the ends of lines are only context of what
        /// follows: for texts of a fixed form, such as poems. Default true.
        /// </summary>
        public bool PredictLineEnds { get; set; } = true;

        /// <summary>Cancels the training.</summary>
        public CancellationToken CancellationToken { get; set; }

        internal Options Copy() => (Options)MemberwiseClone();

        /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
        internal void Check()
        {
            OptionCheck.NotEmpty(TextColumnName, nameof(TextColumnName));
            OptionCheck.NotNull(Tokenization, nameof(Tokenization));
            Tokenization.Check(nameof(Tokenization));
            OptionCheck.Count(Order, LargestOrder, nameof(Order));
            OptionCheck.Defined(Discounts, nameof(Discounts));
        }
    }
}
