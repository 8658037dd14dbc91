using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLExtensions.Examples.Topics;

/// <summary>A conversation of the Self-dialogue Corpus (Fainberg et al., 2018) and what it is about.</summary>
internal sealed class Conversation
{
    private const char Separator = '\t';

    public required string Topic { get; init; }

    /// <summary>All turns, one after the other.</summary>
    public required string Text { get; init; }

    /// <summary>The number of its line in the file.</summary>
    public required int Line { get; init; }

    /// <summary>The conversations about the most frequent topics.</summary>
    /// <param name="mlContext">The context.</param>
    /// <param name="path">A file of lines: topic, turn, turn and so on, separated by tabs; may be gzipped.</param>
    /// <param name="topics">How many topics.</param>
    public static Conversation[] Load(MLContext mlContext, string path, int topics)
    {
        var lines = mlContext.Data.LoadFromTextLines(path).GetColumn<string>("Text");
        return lines.Select(Parse).GroupBy(conversation => conversation.Topic).OrderByDescending(group => group.Count()).Take(topics).SelectMany(group => group).ToArray();
    }

    private static Conversation Parse(string line, int number)
    {
        var topicEnd = line.IndexOf(Separator, StringComparison.Ordinal);
        if (topicEnd <= 0)
            throw new FormatException($"Line {number + 1} of the conversations has no topic followed by a tab.");
        return new Conversation { Topic = line[..topicEnd], Text = line[(topicEnd + 1)..].Replace(Separator, ' '), Line = number };
    }
}
