using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace MLExtensions.Tests;

/// <summary>
/// Messages, logs and summaries show numbers in the same way wherever they are read: the decimal comma and the minus sign of a culture
/// would make of "-0.5, 2" something else. The compiled code is searched for numbers that take the culture of the user.
/// </summary>
[TestClass]
public sealed class InvariantTextTests
{
    private static readonly HashSet<Type> Numbers = [typeof(float), typeof(double), typeof(decimal), typeof(Half), typeof(sbyte), typeof(short), typeof(int), typeof(long), typeof(nint)];

    [TestMethod]
    public void ProductCode_ShowsNumbersWithoutTheCultureOfTheUser()
    {
        var found = CompiledCode.ProductTypes.SelectMany(CompiledCode.Methods)
            .SelectMany(method => OfCulture(method).Select(what => $"{method.DeclaringType}.{method.Name}: {what}"))
            .Distinct().Order(StringComparer.Ordinal).ToArray();
        Assert.IsEmpty(found, "Use string.Create(CultureInfo.InvariantCulture, ...), FormattableString.Invariant or ToString(CultureInfo.InvariantCulture):\n" + string.Join("\n", found));
    }

    /// <summary>The text that the compiler writes of a record shows its numbers in the culture of the user.</summary>
    [TestMethod]
    public void Records_ShowNumbersWithoutTheCultureOfTheUser()
    {
        var found = CompiledCode.ProductTypes.Concat(new[] { typeof(BatchedPredictorOptions), typeof(SqliteGalleryStore) }.SelectMany(type => type.Assembly.GetTypes()))
            .Where(type => type.IsVisible && !type.IsAbstract).SelectMany(PrintedByCompiler).ToArray();
        Assert.IsEmpty(found, "Override ToString:\n" + string.Join("\n", found));
    }

    /// <summary>Proof that the search finds what it is for.</summary>
    [TestMethod]
    public void Search_FindsNumbersHere()
    {
        Assert.HasCount(1, OfCulture(((Func<double, string>)(x => $"{x} is a number")).Method));
        Assert.HasCount(1, OfCulture(((Func<int, string>)(x => $"{x:N0}")).Method));
        Assert.HasCount(1, OfCulture(((Func<float, string>)(x => x.ToString("G4"))).Method));
        Assert.HasCount(1, OfCulture(((Func<float[], string>)(x => string.Join(", ", x))).Method));
        Assert.HasCount(0, OfCulture(((Func<double, string>)(x => string.Create(CultureInfo.InvariantCulture, $"{x} is a number"))).Method));
        Assert.HasCount(0, OfCulture(((Func<double, string>)(x => FormattableString.Invariant($"{x} is a number"))).Method));
        Assert.HasCount(0, OfCulture(((Func<double, string>)(x => x.ToString(CultureInfo.InvariantCulture))).Method));
    }

    [TestMethod]
    public void SearchOfRecords_FindsNumbersHere()
    {
        Assert.AreEqual("WithNumber.Value", PrintedByCompiler(typeof(WithNumber)).Single().Split(':')[0].Split('+')[^1]);
        Assert.HasCount(1, PrintedByCompiler(typeof(WithBase)));
        Assert.HasCount(1, PrintedByCompiler(typeof(ValueWithNumber)));
        Assert.HasCount(0, PrintedByCompiler(typeof(WithoutNumber)));
        Assert.HasCount(0, PrintedByCompiler(typeof(WithText)));
    }

    /// <summary>The numbers that the text of a record shows as the compiler writes it.</summary>
    private static IEnumerable<string> PrintedByCompiler(Type type)
    {
        const BindingFlags Any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var isWritten = type.GetMethod(nameof(ToString), Any, [])!.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false);
        if (!isWritten)
            return [];
        return type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
            .Where(property => IsNumber(property.PropertyType) && property.DeclaringType!.GetMethod("PrintMembers", Any, [typeof(StringBuilder)])!.IsDefined(typeof(CompilerGeneratedAttribute), inherit: false))
            .Select(property => $"{type}.{property.Name}: {property.PropertyType.Name}");
    }

    /// <summary>The calls of a method that turn a number into text in the culture of the user.</summary>
    private static IEnumerable<string> OfCulture(MethodBase method)
    {
        var isInvariant = false;
        foreach (var called in CompiledCode.Calls(method))
        {
            var parameters = called.GetParameters();
            var hasProvider = parameters.Any(parameter => parameter.ParameterType == typeof(IFormatProvider));
            if (called is ConstructorInfo && called.DeclaringType == typeof(DefaultInterpolatedStringHandler))
                isInvariant = hasProvider;
            else if (called.Name == "AppendFormatted" && called.DeclaringType == typeof(DefaultInterpolatedStringHandler) && !isInvariant && called.IsGenericMethod && IsNumber(called.GetGenericArguments()[0]))
                yield return $"an interpolated {called.GetGenericArguments()[0]}";
            else if (called.Name == nameof(ToString) && Numbers.Contains(called.DeclaringType!) && !hasProvider)
                yield return $"{called.DeclaringType!.Name}.ToString";
            else if (called.Name is "Join" or "Concat" && called.DeclaringType == typeof(string) && called.IsGenericMethod && IsNumber(called.GetGenericArguments()[0]))
                yield return $"string.{called.Name} of {called.GetGenericArguments()[0]}";
            else if (called.Name is "Append" or "Insert" && called.DeclaringType == typeof(StringBuilder) && parameters.Any(parameter => Numbers.Contains(parameter.ParameterType) && parameter.Position == (called.Name == "Append" ? 0 : 1)) && parameters.Length == (called.Name == "Append" ? 1 : 2))
                yield return $"StringBuilder.{called.Name} of {parameters[^1].ParameterType}";
        }
    }

    private static bool IsNumber(Type type) => Numbers.Contains(Nullable.GetUnderlyingType(type) ?? type);

    private abstract record NumberBase(double Value);

    private sealed record WithNumber(double Value, string Name);

    private sealed record WithBase(string Name) : NumberBase(1);

    private readonly record struct ValueWithNumber(int Value);

    private sealed record WithoutNumber(string Name, uint Count);

    private sealed record WithText(float Value)
    {
        public override string ToString() => FormattableString.Invariant($"{Value}");
    }
}
