using MLExtensions.Families.Conversations;
using MLExtensions.Training;

namespace MLExtensions;

/// <summary>How files of dialogues become rows.</summary>
public sealed class DialogueLoadingOptions
{
    /// <summary>
    /// Whether lines without an answer, such as the results of a look-up in a knowledge base, stay in the history. An answer may depend on
    /// nothing else. Default true.
    /// </summary>
    public bool KeepFacts { get; set; } = true;

    /// <summary>The number of turns in the column <c>Source</c>, the current one included, at least 1; each fact counts as one. Default null: all.</summary>
    public int? NumberOfTurns { get; set; }

    /// <summary>What is put between turns. Default a line feed.</summary>
    public string Separator { get; set; } = "\n";

    /// <summary>What is put before what the user says. Default empty.</summary>
    public string UserMarker { get; set; } = "";

    /// <summary>What is put before answers in the history. Default empty.</summary>
    public string AnswerMarker { get; set; } = "";

    /// <summary>What is put before facts in the history. Default empty.</summary>
    public string FactMarker { get; set; } = "";

    internal HistoryFormat Format => new(NumberOfTurns, IncludesRow: true, Separator, UserMarker, AnswerMarker, MaximumTokens: null);

    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    internal void Check()
    {
        OptionCheck.AtLeast(NumberOfTurns ?? 1, 1, nameof(NumberOfTurns));
        OptionCheck.NotNull(Separator, nameof(Separator));
        OptionCheck.NotNull(UserMarker, nameof(UserMarker));
        OptionCheck.NotNull(AnswerMarker, nameof(AnswerMarker));
        OptionCheck.NotNull(FactMarker, nameof(FactMarker));
    }
}
