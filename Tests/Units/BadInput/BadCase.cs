using System.Runtime.InteropServices;
using MLExtensions.Tests.Contract;

namespace MLExtensions.Tests.BadInput;

/// <summary>Something that must be refused, and what the message must contain.</summary>
internal sealed record BadCase(string Name, Action Act, params string[] Contains)
{
    private static readonly string[] NativeTexts = ["Exception raised from", ".cpp", "frame #", "Object reference not set", "outside the bounds"];

    private static int _epochs;

    /// <summary>Given to every training here: what is bad is refused before it reports anything.</summary>
    public static IProgress<TrainingProgress> Watch { get; } = new Listener(_ => _epochs++);

    public static IEnumerable<object[]> NamesOf(IEnumerable<BadCase> cases) => cases.Select(bad => new object[] { bad.Name });

    public static void Check(IEnumerable<BadCase> cases, string name)
    {
        var bad = cases.Single(candidate => candidate.Name == name);
        _epochs = 0;
        var error = Assert.Throws<Exception>(bad.Act, name);
        var text = Outcome.Messages(error);
        Assert.AreEqual(0, _epochs, $"reports before the error: {text}");
        for (var cause = error; cause != null; cause = cause.InnerException)
            Assert.IsFalse(cause is NullReferenceException or IndexOutOfRangeException or KeyNotFoundException or ExternalException or InvalidCastException or OutOfMemoryException, $"{cause.GetType()}: {text}");
        foreach (var native in NativeTexts)
            Assert.DoesNotContain(native, text);
        foreach (var part in bad.Contains)
            Assert.Contains(part, text, $"{error.GetType().Name}: {text}");
    }
}
