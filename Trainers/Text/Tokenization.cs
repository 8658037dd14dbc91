using MLExtensions.Text;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How a trainer creates the tokenizer of its text column from the training rows.</summary>
/// <remarks>
/// The vocabulary is ordered by descending frequency in the training rows, including the end-of-sequence (EOS) token and the unknown token.
/// Tokens of equal frequency are in ordinal order.
/// </remarks>
public abstract record Tokenization
{
    private protected Tokenization()
    {
    }

    /// <summary>Each character is a token; see <see cref="CharacterTokenizer"/>.</summary>
    /// <param name="maximumVocabulary">
    /// The maximum vocabulary size, including the line feed and the unknown token; the rarest characters become unknown. At least 3; null
    /// for no limit.
    /// </param>
    /// <param name="minimumCount">
    /// Characters that occur less often become unknown.
    /// </param>
    /// <param name="allowUnknown">
    /// Whether characters that are not in the training rows are allowed later, as the unknown token. If false, and no characters became unknown
    /// in training, they cause an exception. Default true.
    /// </param>
    public static Tokenization Characters(int? maximumVocabulary = null, int minimumCount = 1, bool allowUnknown = true) =>
        new CharacterTokenization(maximumVocabulary, minimumCount, allowUnknown);

    /// <summary>Words are tokens; see <see cref="WordTokenizer"/>.</summary>
    /// <param name="maximumVocabulary">
    /// The maximum vocabulary size, including <c>&lt;unk&gt;</c> and <c>&lt;eos&gt;</c>; the rarest words become
    /// <c>&lt;unk&gt;</c>. At least 3.
    /// </param>
    /// <param name="minimumCount">Words that occur less often become <c>&lt;unk&gt;</c>. At least 1.</param>
    /// <param name="lowercase">See <see cref="WordTokenizer.Lowercase"/>.</param>
    /// <param name="splitPunctuation">See <see cref="WordTokenizer.SplitPunctuation"/>.</param>
    /// <remarks>
    /// With <paramref name="splitPunctuation"/>, words are found by the rules of Unicode (<see cref="WordSegmentation.Unicode"/>), so that the
    /// characters of Chinese, Japanese and Thai are tokens; without it, whole sentences of these languages would be words.
    /// In texts with more than four million different words the counts are approximate: rare words may be forgotten.
    /// </remarks>
    public static Tokenization Words(
        int maximumVocabulary = 10_000, int minimumCount = 1, bool lowercase = false, bool splitPunctuation = false) =>
        new WordTokenization(maximumVocabulary, minimumCount, lowercase, splitPunctuation);

    /// <summary>
    /// Parts of words are tokens, as defined by the two files of a byte-level byte-pair encoding; see <see cref="SubwordTokenizer"/>.
    /// </summary>
    /// <param name="vocabularyFile">The file vocab.json; see <see cref="SubwordTokenizer.VocabularyJson"/>.</param>
    /// <param name="mergesFile">The file merges.txt; see <see cref="SubwordTokenizer.Merges"/>.</param>
    public static Tokenization Subwords(string vocabularyFile, string mergesFile) => new SubwordTokenization(vocabularyFile, mergesFile);

    /// <summary>Uses an existing tokenizer, for example that of another model.</summary>
    /// <param name="tokenizer">The tokenizer.</param>
    public static Tokenization Of(TextTokenizer tokenizer) => new GivenTokenization(tokenizer);

    internal abstract TokenizerBuilder CreateBuilder();

    /// <summary>Rejects invalid settings.</summary>
    /// <param name="option">The option that holds this value.</param>
    /// <exception cref="ArgumentException">A setting is invalid; the message names the option and the setting.</exception>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    internal abstract void Check(string option);

    private protected static void CheckCounts(int? maximumVocabulary, int minimumCount, string option)
    {
        if (maximumVocabulary is { } maximum)
            OptionCheck.AtLeast(maximum, 3, $"{option}.{nameof(maximumVocabulary)}");
        OptionCheck.AtLeast(minimumCount, 1, $"{option}.{nameof(minimumCount)}");
    }
}

/// <inheritdoc cref="Tokenization.Subwords"/>
internal sealed record SubwordTokenization(string VocabularyFile, string MergesFile) : Tokenization
{
    internal override TokenizerBuilder CreateBuilder() => new GivenTokenizer(() =>
    {
        var tokenizer = new SubwordTokenizer
        {
            VocabularyJson = File.ReadAllText(VocabularyFile),
            Merges = File.ReadAllText(MergesFile),
        };
        try
        {
            tokenizer.Check();
        }
        catch (FormatException e)
        {
            throw new FormatException($"'{VocabularyFile}' and '{MergesFile}' do not form a valid tokenizer: {e.Message}", e);
        }
        return tokenizer;
    });

    internal override void Check(string option)
    {
        CheckFile(VocabularyFile, $"{option}.vocabularyFile");
        CheckFile(MergesFile, $"{option}.mergesFile");
    }

    private static void CheckFile(string path, string option)
    {
        OptionCheck.NotEmpty(path, option);
        if (!File.Exists(path))
            throw new FileNotFoundException($"{option}: the file '{path}' does not exist.", path);
    }
}

/// <inheritdoc cref="Tokenization.Of"/>
internal sealed record GivenTokenization(TextTokenizer Tokenizer) : Tokenization
{
    internal override TokenizerBuilder CreateBuilder() => new GivenTokenizer(() => Tokenizer);

    internal override void Check(string option)
    {
        OptionCheck.NotNull(Tokenizer, $"{option}.tokenizer");
        try
        {
            Tokenizer.Check();
        }
        catch (FormatException e)
        {
            throw new ArgumentException($"{option} is not a valid tokenizer: {e.Message}", option, e);
        }
    }
}
