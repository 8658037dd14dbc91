using Spectre.Console;

namespace MLExtensions.Examples.Infrastructure;

/// <summary>
/// Shows a training's <see cref="TrainingProgress"/> as a progress bar; where the output is a file or a pipe, as some ten lines.
/// </summary>
/// <remarks>
/// Reports are handled on the training thread as they come. <see cref="Progress{T}"/> would post them to the thread pool, where
/// they may overtake each other.
/// </remarks>
internal sealed class TrainingProgressBar : IProgress<TrainingProgress>
{
    private const int Lines = 10;

    private readonly string _title;
    private readonly ProgressTask? _bar;
    private int _linesWritten;

    private TrainingProgressBar(string title, ProgressTask? bar)
    {
        _title = title;
        _bar = bar;
    }

    /// <summary>Runs a training while its progress is shown.</summary>
    /// <param name="title">What is trained.</param>
    /// <param name="train">Trains; the progress goes into the trainer's options.</param>
    public static T Show<T>(string title, Func<IProgress<TrainingProgress>, T> train)
    {
        if (Console.IsOutputRedirected || !AnsiConsole.Profile.Capabilities.Interactive)
            return train(new TrainingProgressBar(title, null));
        var description = new TaskDescriptionColumn { Alignment = Justify.Left };
        return AnsiConsole.Progress()
            .Columns(new ProgressBarColumn { Width = 24 }, new PercentageColumn(), description)
            .Start(context => train(new TrainingProgressBar(title, context.AddTask(Markup.Escape(title), maxValue: 1))));
    }

    public void Report(TrainingProgress value)
    {
        var epochsDone = value.Epoch - 1 + ((double)value.Batch / Math.Max(1, value.Batches));
        var share = epochsDone / value.Epochs;
        if (_bar != null)
        {
            _bar.Value = share;
            _bar.Description = Markup.Escape($"{_title}: {Describe(value)}");
        }
        else if (value.Completed != null && share * Lines >= _linesWritten + 1)
        {
            _linesWritten = (int)(share * Lines);
            AnsiConsole.WriteLine($"{_title}: {Describe(value)}");
        }
    }

    private static string Describe(TrainingProgress value)
    {
        var loss = value.Completed?.ValidationLoss is { } validationLoss
            ? $"loss {value.TrainingLoss:0.0000}, validation {validationLoss:0.0000}"
            : $"loss {value.TrainingLoss:0.0000}";
        return $"epoch {value.Epoch}/{value.Epochs}, {loss}, {value.ExamplesPerSecond:N0} examples/s, {value.TimeLeft:h\\:mm\\:ss} left";
    }
}
